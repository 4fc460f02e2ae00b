import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256File } from "../../agent/system/files.ts";
import { createRun } from "../../agent/system/run.ts";
import type { RunningMachine } from "../../builder/vm/launch.ts";
import { silent } from "../../format/events.ts";
import { manifestName, manifestSchema, packageFiles, signatureName } from "../../format/manifest.ts";
import { signManifest } from "../../format/signature.ts";
import { mountMedia } from "../../builder/smoke/old-system.ts";
import { buildFixturePackage, fixtureKeys } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import { rootPassword } from "../fixtures/gateways.ts";
import { openGateway, type GatewaySession } from "./gateway-session.ts";
import { outputFolder } from "./smoke-options.ts";

/**
 * A package that is right in every way stage 1 can check, but whose ramdisk's PID 1 ends at once: the kernel panics. The next
 * reset must be the old system, and the ramdisk must not have written one block.
 */
let session: GatewaySession;

beforeAll(async () => {
  const good = await buildFixturePackage();
  session = await openGateway("broken-ramdisk", await buildGatewayDisk("centos"), await breakRamdisk(good));
});

afterAll(async () => {
  await session?.close();
});

/** GRUB's one-shot entry with a ramdisk that panics is in test/disk/stage1-grub-entry as well, on a small system. */
test.each(process.env["DUALROOT_LONG"] ? ["kexec", "grub"] : ["kexec"])(
  "a ramdisk that panics, started by %s: the next reset is the old system, untouched",
  async (method) => {
    const { machine } = session;
    const console = machine.console;
    const before = await fingerprints(machine);
    console.type(`sh /run/dualroot-smoke/package/upgrade.sh convert --yes --boot ${method}`);
    await console.waitFor(/Linux version [^\r\n]*\r?\n/, 400, "the ramdisk's kernel");
    const writesAtStart = await writtenBytes(machine);
    await console.waitFor(/Kernel panic - not syncing: Attempted to kill init/, 200, "the panic");
    expect(await writtenBytes(machine)).toBe(writesAtStart);
    // panic=30: it restarts by itself.
    await console.logIn("root", rootPassword, 400);
    await mountMedia(console);
    expect(await fingerprints(machine)).toEqual(before);
    const cancel = await console.run("sh /run/dualroot-smoke/package/upgrade.sh cancel", 200);
    expect(cancel.exitCode).toBe(0);
    const left = await console.run(
      "ls -A /boot/dualroot /var/lib/dualroot/stash 2>/dev/null; grep -c next_entry= /boot/grub/grubenv",
      60,
    );
    expect(left.output.trim()).toBe("0");
  },
);

/** Partition table and boot code, programs and settings, kernels: everything that makes the old system, but for its own logs. */
async function fingerprints(machine: RunningMachine): Promise<string> {
  const digest = "sort -z | xargs -0 sha256sum | sha256sum";
  const commands = [
    "head -c 1048576 /dev/vda | sha256sum",
    `find /etc /usr/sbin /usr/bin /home -xdev -type f -print0 | ${digest}`,
    `find /boot -xdev -type f ! -path '*/dualroot/*' ! -name grubenv ! -name custom.cfg -print0 | ${digest}`,
  ];
  const { exitCode, output } = await machine.console.run(commands.join("; "), 200);
  expect(exitCode).toBe(0);
  expect(output.match(/[0-9a-f]{64}/g)).toHaveLength(3);
  return output;
}

const blockStatsSchema = z.array(z.object({ device: z.string(), stats: z.object({ wr_bytes: z.int() }) }));

/** Bytes that the guest ever wrote to the gateway's disk, as QEMU counts them. */
async function writtenBytes(machine: RunningMachine): Promise<number> {
  const stats = blockStatsSchema.parse(await machine.qmp.execute("query-blockstats"));
  const disk = stats.find(({ device }) => device === "drive0");
  if (!disk) throw new Error("QEMU does not count the gateway's disk");
  return disk.stats.wr_bytes;
}

/** Appends a cpio archive with an /init that ends, and signs the manifest of the result with the release's key. */
async function breakRamdisk(good: string): Promise<string> {
  const run = createRun(silent);
  const broken = join(outputFolder, "broken-package");
  await rm(broken, { recursive: true, force: true });
  await mkdir(join(broken, "tree"), { recursive: true });
  for (const name of await readdir(good)) await copyFile(join(good, name), join(broken, name));
  const ramdisk = join(broken, packageFiles.ramdisk);
  await writeFile(join(broken, "tree/init"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  await run("sh", [
    "-c",
    'cd "$1" && echo init | cpio --quiet -o -H newc > ../init.cpio',
    "sh",
    join(broken, "tree"),
  ]);
  await appendFile(ramdisk, await readFile(join(broken, "init.cpio")));
  await rm(join(broken, "tree"), { recursive: true });
  await rm(join(broken, "init.cpio"));
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(broken, manifestName), "utf8")));
  const file = manifest.files.find(({ name }) => name === packageFiles.ramdisk)!;
  file.sha256 = await sha256File(ramdisk);
  file.size = (await readFile(ramdisk)).length;
  const bytes = Buffer.from(JSON.stringify(manifest));
  const key = createPrivateKey(await readFile(join(await fixtureKeys(), "release.key")));
  await writeFile(join(broken, manifestName), bytes);
  await writeFile(join(broken, signatureName), JSON.stringify(signManifest(bytes, key)));
  return broken;
}
