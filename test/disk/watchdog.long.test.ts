import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { GiB } from "../../format/sizes.ts";
import { debianKernel } from "../fixtures/kernels.ts";
import { buildTestRamdisk } from "../fixtures/test-ramdisk.ts";

/** busybox asks the terminal where its cursor is. */
const prompt = /# (?:\u001b\[6n)?$/m;
let scratch: string;
let machine: RunningMachine | undefined;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "dualroot-watchdog-"));
});
afterAll(async () => {
  await machine?.kill();
  await rm(scratch, { recursive: true, force: true });
});

test("a conversion whose program hangs is reset by the machine's watchdog, one that only waits is not", async () => {
  const kernel = await debianKernel("amd64"); // the cloud kernel has no watchdog drivers
  const ramdisk = await buildTestRamdisk(scratch, kernel);
  const words = `dualroot.mode=convert dualroot.stash=1f2e-3d:/stash dualroot.stash_sha256=${"a".repeat(64)}`;
  machine = await launch(
    {
      name: "watchdog",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [],
      nics: [],
      boot: {
        kernel: kernel.image,
        initrd: ramdisk,
        append: `${words} dualroot.silence=15 dualroot.break quiet console=ttyS0,115200`,
      },
      watchdog: true,
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(kernel.image), consoleLog: join(scratch, "console.log") },
  );
  const { console } = machine;
  await console.waitFor(/dualroot\.break was given/, 180);
  await console.waitFor(prompt, 60);
  // The shell's terminal hangs up when it ends, so what comes later opens it anew. The agent looks for a stash that is nowhere,
  // for a minute; half of that it is left in peace.
  const stopLater =
    "(until pidof node; do sleep 1; done; sleep 30; echo STOP''PED >/dev/ttyS0; kill -STOP $(pidof node)) & exit";
  console.type(stopLater);
  const before = console.position();
  await console.waitFor(/STOPPED/, 180);
  expect(console.textSince(before)).toContain("ramdisk started, mode convert");
  expect(console.textSince(before)).not.toContain("no sign of life");
  await console.waitFor(/no sign of life for 15 seconds/, 120);
  await machine.ended(300);
  expect(machine.events.map(({ event }) => event)).toContain("WATCHDOG");
});
