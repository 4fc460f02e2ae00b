import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createRun } from "../../agent/system/run.ts";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { silent } from "../../format/events.ts";
import { GiB, MiB } from "../../format/sizes.ts";
import { debianKernel, type KernelFixture } from "../fixtures/kernels.ts";
import { targetRootFilesystem } from "../fixtures/root-filesystem.ts";
import { buildTestRamdisk } from "../fixtures/test-ramdisk.ts";
import { makeBootDisk } from "./grub/boot-disk.ts";

/** Debian with systemd and udev in slot A, without kernel, initramfs and modules of its own; a data volume beside it. */
let kernel: KernelFixture;
let scratch: string;
let disk: string;
const machines: RunningMachine[] = [];
const run = createRun(silent);
const password = "slot-Passw0rd";

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "dualroot-slot-debian-"));
  kernel = await debianKernel("cloud-amd64");
  await buildTestRamdisk(scratch, kernel);
  const tree = join(scratch, "slot");
  await mkdir(tree);
  const unpack = [
    "--extract",
    `--file=${await targetRootFilesystem()}`,
    `--directory=${tree}`,
    "--numeric-owner",
  ];
  const leftOut = ["usr/lib/modules/*", "boot/*", "usr/share/perl/*", "dev/*"].map(
    (path) => `--exclude=./${path}`,
  );
  await run("tar", [...unpack, ...leftOut]);
  await run("chroot", [tree, "chpasswd"], { input: `root:${password}\n` });
  await mkdir(join(tree, "data"), { recursive: true });
  await appendFile(
    join(tree, "etc/fstab"),
    "/dev/mapper/VA-root_a / ext4 defaults 0 1\n/dev/mapper/VA-root_b /data ext4 defaults,nofail 0 2\n",
  );
  await writeFile(join(tree, "etc/hostname"), "gw-debian\n");
  disk = await makeBootDisk({ boot: {}, slotA: {}, slotATree: tree, slotABytes: 320 * MiB, slotB: {} });
  await rm(tree, { recursive: true });
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.kill();
});
afterAll(async () => {
  if (disk) await rm(dirname(disk), { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

async function boot(words: string): Promise<RunningMachine> {
  const machine = await launch(
    {
      name: "boot-slot-debian",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: "boot", disposable: true }],
      nics: [],
      boot: {
        kernel: kernel.image,
        initrd: join(scratch, "ramdisk.img"),
        append: `${words} quiet panic=5 console=ttyS0,115200`,
      },
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(kernel.image), consoleLog: join(scratch, "console.log") },
  );
  machines.push(machine);
  return machine;
}

test("a whole distribution comes up without waiting for a device, and opens its other volumes itself", async () => {
  const uuid = (
    await run("blkid", ["-p", "-s", "UUID", "-o", "value", join(dirname(disk), "a.img")])
  ).stdout.trim();
  const { console } = await boot(`root=UUID=${uuid}`);
  await console.waitFor(/starting \/sbin\/init on \/dev\/mapper\/VA-root_a/, 180);
  await console.logIn("root", password, 400);
  const ask = async (command: string): Promise<string> => (await console.run(command, 120)).output.trim();
  expect(await ask("systemctl is-active dev-mapper-VA\\\\x2droot_a.device")).toBe("active");
  expect(await ask("findmnt -no SOURCE,FSTYPE,OPTIONS / | tr -s ' '")).toMatch(
    /^\/dev\/mapper\/VA-root_a ext4 rw,/,
  );
  expect(await ask("findmnt -no SOURCE /data")).toBe("/dev/mapper/VA-root_b");
  expect(await ask("systemctl --failed --no-legend --plain")).not.toMatch(/device|mount|fsck|lvm/);
  expect(await ask("journalctl -b | grep -c 'Timed out waiting for device'")).toBe("0");
  expect(await ask("hostname; ls -1 /dev/VA; ls /run/dualroot/switch-root 2>&1")).toMatch(
    /^gw-debian\nroot_a\nroot_b\nls: .*No such file/,
  );
});

test("a slot without a system: the reason, a shell, and a restart that GRUB has counted", async () => {
  const machine = await boot("dualroot.mode=boot root=/dev/mapper/VA-root_b rauc.slot=B");
  await machine.console.waitFor(
    /The root filesystem has no program that could be started: \/sbin\/init,/,
    180,
  );
  await machine.console.waitFor(/The slot could not be started: GRUB chooses again in 60 seconds/, 60);
  await machine.console.waitFor(/rescue:.*#/, 60);
  await machine.ended(240);
});
