import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeResumeRecord } from "../../agent/boot/resume-record.ts";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { forwardPort } from "../../builder/vm/forward-port.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { packageFiles } from "../../format/manifest.ts";
import { GiB } from "../../format/sizes.ts";
import { stashFile, type Stash } from "../../format/stash.ts";
import { makeSmallPackage } from "../fixtures/small-package.ts";
import { openSshClient } from "../fixtures/ssh-client.ts";
import { diskSerial, makeStashDisk, type StashDisk } from "../fixtures/stash-disk.ts";
import { makeTinySlot, tinySlot } from "../fixtures/tiny-slot.ts";

const machines: RunningMachine[] = [];
let scratch: string | undefined;
afterAll(async () => {
  for (const machine of machines) await machine.kill();
  if (scratch) await rm(scratch, { recursive: true, force: true });
});

async function boot(conversion: StashDisk, fromDisk: boolean): Promise<RunningMachine> {
  const { kernel, ramdisk, disk, commandLine } = conversion;
  const machine = await launch(
    {
      name: "rescue-after-failures",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true }],
      nics: [{ macAddress: tinySlot.macAddress, forwards: [] }],
      ...(fromDisk ? {} : { boot: { kernel, initrd: ramdisk, append: commandLine } }),
      display: "none",
      onReset: "restart",
    },
    { accelerator: await chooseAccelerator(kernel), consoleLog: `${disk}.log` },
  );
  machines.push(machine);
  return machine;
}

/** Two failures are on record, and the package has a byte that is not what it was. Returns its place and what it should be. */
async function prepareThirdFailure(disk: string, stash: Stash): Promise<{ position: number; right: number }> {
  const [range] = stashFile(stash, packageFiles.rootfs)?.ranges ?? [];
  if (!range || !stash.space) throw new Error("the stash has no places");
  const position = range.startBytes + 100_000;
  const image = await open(disk, "r+");
  const byte = Buffer.alloc(1);
  await image.read(byte, 0, 1, position);
  await image.write(Buffer.from([byte[0]! ^ 0xff]), 0, 1, position);
  await image.write(encodeResumeRecord({ starts: 2, failures: 2 }), 0, 512, stash.space.loader.startBytes);
  await image.close();
  return { position, right: byte[0]! };
}

test("after the last failure the old gateway's administrator comes in by ssh, mends it, and has the conversion run again", async () => {
  scratch = await mkdtemp(join(tmpdir(), "dualroot-rescue-"));
  const gateway = join(scratch, "gateway");
  const keyFile = join(scratch, "root-key");
  await makeTinySlot(gateway, { kernelVersion: "3.10", keyFile });
  await writeFile(
    join(gateway, "etc/ssh/ssh_host_rsa_key"),
    "-----BEGIN OPENSSH PRIVATE KEY-----\ndamaged\n",
  );
  const packageFolder = join(scratch, "package");
  const diskBytes = await makeSmallPackage(packageFolder, scratch);
  const conversion = await makeStashDisk(join(scratch, "disk"), packageFolder, {
    diskBytes,
    role: "dev",
    mode: "disk",
    gateway: { root: gateway, macAddress: tinySlot.macAddress },
  });
  const first = await boot(conversion, false);
  await first.console.waitFor(/Arm the resume loader/, 240);
  await first.console.waitFor(/Make the boot filesystem/, 120);
  await first.kill();
  const { position, right } = await prepareThirdFailure(conversion.disk, conversion.stash);

  const { console, qmp } = await boot(conversion, true);
  await console.waitFor(/dualroot: resumed; start 3, 2 failures so far/, 300);
  await console.waitFor(/rescue system of gw-tiny \(as the stash says\)/, 240);
  await console.waitFor(new RegExp(`eth0: ${tinySlot.ipv4}/24`), 30);
  await console.waitFor(/rescue:.*#/, 60);

  const port = await forwardPort(qmp, tinySlot.ipv4, tinySlot.sshPort);
  const client = await openSshClient({ folder: scratch, port, hostKeys: join(gateway, "etc/ssh") });
  const greeting = await client.withPassword(tinySlot.administrator, "cat /etc/motd");
  expect(greeting.stdout).toMatch(/failed 3 times, the last time because: rootfs\.tar\.xz/);
  expect(greeting.stdout).toContain("dualroot-again");
  expect(greeting.stdout).toContain("the gateway's rsa host key is damaged");
  expect((await client.withKey("root", keyFile, "hostname")).stdout).toBe("gw-tiny\n");
  expect((await client.withPassword(tinySlot.user, "id")).exitCode).toBe(255);

  const octal = right.toString(8).padStart(3, "0");
  const mend = `printf '\\${octal}' | dd of=/dev/vda bs=1 seek=${position} conv=notrunc,fsync 2>/dev/null`;
  const again = await client.withPassword(tinySlot.administrator, `${mend}; dualroot-again`);
  expect(again.stdout).toContain("The conversion runs again from the start");
  await console.waitFor(/dualroot: resumed; start 1, 0 failures so far/, 120);
  await console.waitFor(/dualroot: converted/, 400);
  await console.waitFor(/Slot A/, 120, "the new system's menu");
});
