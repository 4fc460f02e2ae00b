import { copyFile, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createRun } from "../../../agent/system/run.ts";
import { chooseAccelerator } from "../../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../../builder/vm/launch.ts";
import { silent } from "../../../format/events.ts";
import { GiB, MiB } from "../../../format/sizes.ts";
import { debianKernel, type KernelFixture } from "../../fixtures/kernels.ts";
import { targetRootFilesystem } from "../../fixtures/root-filesystem.ts";
import { tinyInitramfs } from "../grub/tiny-system.ts";

/** Debian's systemd and kmod, our overlay, a kernel with a driver for QEMU's watchdog, which is on the blacklist. No boot partition. */
const password = "slot-Passw0rd";
const run = createRun(silent);
const machines: RunningMachine[] = [];
let scratch: string;
let image: string;
let kernel: KernelFixture;

const drivers = [
  ..."drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev".split(" "),
  ..."drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci drivers/block/virtio_blk".split(" "),
  ..."crypto/crc32c_generic lib/crc16 fs/mbcache fs/jbd2/jbd2 fs/ext4/ext4".split(" "),
];
const init = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in ${drivers.map((path) => path.split("/").at(-1)).join(" ")}; do insmod /modules/$module.ko; done
mkdir /slot && mount -t ext4 /dev/vda /slot && umount /proc && mount -o move /dev /slot/dev && exec switch_root /slot /sbin/init
exec sleep 1000
`;

async function boot(disk: string): Promise<RunningMachine> {
  const machine = await launch(
    {
      name: "hung-boots",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: "slot", disposable: true }],
      nics: [],
      boot: {
        kernel: kernel.image,
        initrd: join(scratch, "initramfs"),
        append: `rauc.slot=A panic=5 quiet console=ttyS0,115200`,
      },
      watchdog: true,
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(kernel.image), consoleLog: join(scratch, "console.log") },
  );
  machines.push(machine);
  return machine;
}

// Two starts of a whole Debian: for the long tests.
describe.runIf(process.env["DUALROOT_LONG"])("a boot that hangs", () => {
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "dualroot-hung-"));
    kernel = await debianKernel("amd64"); // the cloud kernel has no watchdog drivers
    const tree = join(scratch, "slot");
    await mkdir(tree);
    await run("tar", [
      ...["--extract", `--file=${await targetRootFilesystem()}`, `--directory=${tree}`, "--numeric-owner"],
      ...["usr/lib/modules/*", "boot/*", "usr/share/perl/*", "dev/*"].map((path) => `--exclude=./${path}`),
    ]);
    await run("cp", ["-a", "--no-preserve=ownership", "rootfs-overlay/.", tree]);
    const modules = join(tree, "usr/lib/modules", kernel.version);
    await mkdir(join(modules, "kernel/drivers"), { recursive: true });
    for (const name of await readdir(kernel.modulesFolder))
      if (name.startsWith("modules.")) await cp(join(kernel.modulesFolder, name), join(modules, name));
    await cp(
      join(kernel.modulesFolder, "kernel/drivers/watchdog"),
      join(modules, "kernel/drivers/watchdog"),
      {
        recursive: true,
      },
    );
    await run("chroot", [tree, "chpasswd"], { input: `root:${password}\n` });
    await mkdir(join(tree, "etc/dualroot"), { recursive: true });
    await mkdir(join(tree, "etc/modprobe.d"), { recursive: true });
    for (const [path, content] of Object.entries({
      "etc/modprobe.d/watchdogs.conf": "blacklist i6300esb\n",
      "etc/dualroot/system.json": '{\n  "name": "demo",\n  "version": "1",\n  "slot": "A"\n}\n',
      // udev may be slow to show the console on a busy machine without KVM.
      "etc/systemd/system.conf.d/60-test.conf": "[Manager]\nDefaultDeviceTimeoutSec=15min\n",
      "etc/dualroot/health.conf": "DUALROOT_BOOT_SECONDS=3600\n",
      "etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
    }))
      await writeFile(join(tree, path), content);
    image = join(scratch, "slot.img");
    await run("mke2fs", ["-q", "-t", "ext4", "-d", tree, image, `${(512 * MiB) / 1024}`]);
    await rm(tree, { recursive: true });
    await writeFile(
      join(scratch, "initramfs"),
      await tinyInitramfs(
        init,
        Object.fromEntries(
          drivers.map((path) => [
            `modules/${path.split("/").at(-1)}.ko`,
            join(kernel.modulesFolder, `kernel/${path}.ko`),
          ]),
        ),
      ),
    );
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.kill();
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test("emergency mode does not stop the boot deadline: it says so on the console and restarts the machine", async () => {
    const broken = join(scratch, "broken.img");
    await copyFile(image, broken);
    for (const [path, content] of Object.entries({
      "etc/dualroot/health.conf": "DUALROOT_BOOT_SECONDS=90\nDUALROOT_NOTICE_SECONDS=5\n",
      "etc/fstab": "/dev/nowhere /nowhere ext4 x-systemd.device-timeout=5 0 2\n",
    })) {
      const file = join(scratch, "file");
      await writeFile(file, content);
      await run("debugfs", ["-w", "-R", `rm /${path}`, broken]);
      await run("debugfs", ["-w", "-R", `write ${file} /${path}`, broken]);
    }
    const machine = await boot(broken);
    await machine.console.waitFor(/You are in emergency mode/, 400);
    await machine.console.waitFor(/the boot has not come to its health gate within \d+ s: restarting/, 200);
    await machine.ended(120);
    expect(machine.events.map(({ event }) => event)).not.toContain("WATCHDOG");
  });

  test("systemd feeds the machine's watchdog, whose driver is on the blacklist, and the watchdog resets a kernel that hangs", async () => {
    const machine = await boot(image);
    const { console } = machine;
    await console.logIn("root", password, 900);
    const ask = async (command: string): Promise<string> => (await console.run(command, 120)).output.trim();
    expect(await ask("systemctl is-active dualroot-boot-deadline.service")).toBe("active");
    expect(
      await ask("until grep -q state /run/dualroot/health; do sleep 1; done; cat /run/dualroot/health"),
    ).toContain("state");
    // The next feeding opens it: at most half of RuntimeWatchdogSec later.
    expect(
      await ask(
        "for n in $(seq 60); do journalctl -b | grep -q 'Using hardware watchdog' && break; sleep 1; done; journalctl -b | grep 'hardware watchdog'",
      ),
    ).toMatch(/Using hardware watchdog '?i6300/i);
    expect(await ask("grep -c ^i6300esb /proc/modules; systemctl show -p RuntimeWatchdogUSec")).toBe(
      "1\nRuntimeWatchdogUSec=1min",
    );
    expect(await ask("journalctl -b -u dualroot-watchdog")).toContain("watchdog driver i6300esb is loaded");
    // A panic that nothing ends is as good as a kernel that hangs.
    console.type(
      "echo 0 >/proc/sys/kernel/panic; echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger",
    );
    await machine.ended(300);
    expect(machine.events.map(({ event }) => event)).toContain("WATCHDOG");
  }, 1_800_000);
});
