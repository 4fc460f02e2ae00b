import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, expect, test } from "vitest";
import { buildRamdisk, type RamdiskInputs } from "../../builder/ramdisk/build-ramdisk.ts";
import { silent } from "../../format/events.ts";
import { debianKernel } from "../fixtures/kernels.ts";

let scratch: string;
let inputs: RamdiskInputs;
const machines: ChildProcess[] = [];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-boot-"));
  mkdirSync(join(scratch, "grub/i386-pc"), { recursive: true });
  writeFileSync(join(scratch, "grub/boot.img"), "boot");
  inputs = {
    kernel: await debianKernel("amd64"),
    keys: { format: 1, keys: [{ keyId: "0123456789abcdef", role: "dev", publicKey: `${"A".repeat(43)}=` }] },
    bootFiles: join(scratch, "grub"),
    compression: "gzip",
    sourceDateEpoch: 1_700_000_000,
    cacheFolder: fileURLToPath(new URL("../../.cache/ramdisk/", import.meta.url)),
    profile: "virtual",
    agentEntry: fileURLToPath(new URL("../fixtures/ramdisk-probe.ts", import.meta.url)),
  };
  return () => rmSync(scratch, { recursive: true });
});
afterEach(() => machines.splice(0).forEach((machine) => machine.kill("SIGKILL")));

/** A machine without a disk; `until` waits for a pattern on its serial console. */
function boot(image: string, commandLine: string) {
  const accelerator = ["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", "1024"];
  const devices = ["-nodefaults", "-no-reboot", "-display", "none", "-vga", "std", "-serial", "stdio"];
  const kernel = ["-kernel", inputs.kernel.image, "-initrd", image, "-append", commandLine];
  const machine = spawn("qemu-system-x86_64", [...accelerator, ...devices, ...kernel], { stdio: "pipe" });
  machines.push(machine);
  let output = "";
  const waiting = new Set<() => void>();
  machine.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("latin1");
    waiting.forEach((check) => check());
  });
  const until = (pattern: RegExp, seconds = 90): Promise<string> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`no ${pattern} within ${seconds} s:\n${output}`)),
        seconds * 1000,
      );
      const check = (): void => {
        if (!pattern.test(output)) return;
        clearTimeout(limit);
        waiting.delete(check);
        resolve(output);
      };
      waiting.add(check);
      check();
    });
  const ended = new Promise<void>((resolve) => machine.on("exit", () => resolve()));
  return { until, ended, type: (line: string) => machine.stdin.write(`${line}\n`) };
}

test("the ramdisk boots to its agent, all tools work in it, and after the agent's end there is a shell that comes back", async () => {
  const image = join(scratch, "gzip.img");
  await buildRamdisk(inputs, image, silent);
  const machine = boot(image, "quiet console=tty0 console=ttyS0 panic=5");
  const output = await machine.until(/rescue:.*#/);
  expect(output).toContain("probe: node v20.");
  expect(output).toContain("as /usr/lib/dualroot/agent.mjs ramdisk");
  expect(output).toContain(`probe: kernel ${inputs.kernel.version}`);
  expect(output).toMatch(/probe: [5-9]\d tools looked at/);
  expect(output).toContain(
    "loaded virtio_pci virtio_blk ahci nvme vmw_pvscsi mptspi dm_mod xfs ext4 vfat loop",
  );
  expect(output).toContain("filesystems ext4 LVM2_member xfs");
  expect(output).not.toContain("BROKEN");
  expect(output).toContain("the agent ended (exit code 9)");
  machine.type("echo $((6 * 7)) on $(tty); ps -o args");
  const processes = await machine.until(/42 on \/dev\/ttyS0[^]*ps -o args\r?\n/);
  // One on the screen, one on the serial line.
  expect(processes.match(/sh -l\r/g)).toHaveLength(2);
  machine.type("exit");
  await machine.until(/(rescue:[^]*){3}#/);
  machine.type("cat /etc/lvm/lvm.conf | grep -c udev; echo back");
  await machine.until(/\nback/);
  machine.type("reboot -f");
  await machine.ended;
});

test("an xz image boots too, and dualroot.break gives a shell before the agent", async () => {
  const image = join(scratch, "xz.img");
  await buildRamdisk({ ...inputs, compression: "xz" }, image, silent);
  const machine = boot(image, "quiet console=ttyS0 panic=5 dualroot.break");
  const before = await machine.until(/rescue:.*#/);
  expect(before).toContain("comes before the agent");
  expect(before).not.toContain("probe:");
  machine.type("exit");
  await machine.until(/probe: node/);
});
