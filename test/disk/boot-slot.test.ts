import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { mkdtemp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256File } from "../../agent/system/files.ts";
import { forwardPort } from "../../builder/vm/forward-port.ts";
import { openSshClient } from "../fixtures/ssh-client.ts";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { encodeSlotEnvironment } from "../../format/grubenv.ts";
import { GiB, MiB } from "../../format/sizes.ts";
import { debianKernel, type KernelFixture } from "../fixtures/kernels.ts";
import { makeTinySlot, tinySlot } from "../fixtures/tiny-slot.ts";
import { buildTestRamdisk } from "../fixtures/test-ramdisk.ts";
import { makeBootDisk } from "./grub/boot-disk.ts";

/** A converted disk whose slots have no kernel, a person at GRUB's prompt, and the real ramdisk. */
const prompt = /# (?:\u001b\[6n)?$/m;
let kernel: KernelFixture;
let scratch: string;
let disk: string;
let machine: RunningMachine;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "dualroot-slot-"));
  kernel = await debianKernel("cloud-amd64");
  await buildTestRamdisk(scratch, kernel);
  const tree = join(scratch, "slot");
  await makeTinySlot(tree, { kernelVersion: kernel.version, keyFile: join(scratch, "slot-key") });
  disk = await makeBootDisk({
    boot: {
      "/grub/grubenv": encodeSlotEnvironment({
        order: ["A"],
        A: { ok: false, tries: 0 },
        B: { ok: false, tries: 0 },
      }),
      "/vmlinuz-convert": await readFile(kernel.image),
      "/initramfs-convert.img": await readFile(join(scratch, "ramdisk.img")),
    },
    bootBytes: 128 * MiB,
    slotA: {},
    slotATree: tree,
    slotB: {},
  });
  machine = await launch(
    {
      name: "boot-slot",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: "boot", disposable: true }],
      nics: [{ macAddress: tinySlot.macAddress, forwards: [] }],
      display: "none",
      onReset: "restart",
    },
    { accelerator: await chooseAccelerator(kernel.image), consoleLog: join(scratch, "console.log") },
  );
});
afterAll(async () => {
  await machine?.kill();
  if (disk) await rm(dirname(disk), { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

test("three lines typed at GRUB's prompt bring up the installed system", async () => {
  const { console } = machine;
  await console.waitFor(/Rescue ramdisk/, 60, "the menu on the serial console");
  await console.waitFor(/automatically/, 10);
  console.type("c", "");
  await console.waitFor(/grub> /, 20);
  console.type("linux (hd0,gpt2)/vmlinuz-convert root=/dev/mapper/VA-root_a console=ttyS0,115200 single");
  await console.waitFor(/grub> $/m, 60);
  console.type("initrd (hd0,gpt2)/initramfs-convert.img");
  await console.waitFor(/grub> $/m, 120);
  console.type("boot");
  await console.waitFor(/ramdisk started, mode boot/, 120);
  const [, up] = await console.waitFor(/SLOT up as (.*)\r/, 60);
  expect(up).toBe(`1 on gw-tiny with ${kernel.version}, words single, home /, locale .`);
  const [, root] = await console.waitFor(/SLOT root (.*)\r/, 30);
  expect(root).toMatch(/^\/dev\/mapper\/VA-root_a ext4 ro,/);
  const [, mounts] = await console.waitFor(/SLOT mounts (.*)\r/, 30);
  expect(mounts?.trim().split(" ")).toEqual(
    expect.arrayContaining(["/", "/dev", "/dev/pts", "/proc", "/run", "/sys"]),
  );
  const [, processes] = await console.waitFor(/SLOT processes (.*)\r/, 30);
  expect(processes).not.toMatch(/node|dualroot|sleep/);
  const [, kernelSide] = await console.waitFor(/SLOT huge pages (.*)\r/, 30);
  expect(kernelSide).toMatch(/^\[always\] madvise never, modules .*modules\.dep/);
  const [, modules] = await console.waitFor(/SLOT firewall and network (.*)\r/, 30);
  expect(modules?.trim()).toBe("8021q ip6table_nat iptable_filter nf_tables xt_conntrack");
  const [, megabytes] = await console.waitFor(/SLOT memory files (\d+) MiB\r/, 30);
  expect(Number(megabytes)).toBeLessThan(40); // the ramdisk itself takes three times as much
  await console.waitFor(/SLOT udev E:DM_UDEV_PRIMARY_SOURCE_FLAG=1\r/, 30);
  await console.waitFor(/SLOT log 1\r/, 30);
  await console.waitFor(/login: $/m, 60);
  console.type("root");
  await console.waitFor(/Password: $/m, 60);
  console.type(tinySlot.rootPassword);
  await console.waitFor(prompt, 60, "a shell of the installed system");
  console.type("reboot -f");
});

test("with no slot left, the rescue system is the gateway to whoever knows it: address, host keys, people, passwords", async () => {
  const { console } = machine;
  await console.waitFor(/Rescue ramdisk/, 60, "the menu again");
  const before = await sha256File(disk);
  await console.waitFor(/ramdisk started, mode rescue/, 120);
  await console.waitFor(/rescue system of gw-tiny \(as \/dev\/mapper\/VA-root_a says\)/, 60);
  await console.waitFor(new RegExp(`eth0: ${tinySlot.ipv4}/24`), 20);
  await console.waitFor(prompt, 60);

  const port = await forwardPort(machine.qmp, tinySlot.ipv4, tinySlot.sshPort);
  const client = await openSshClient({ folder: scratch, port, hostKeys: join(scratch, "slot/etc/ssh") });
  const { administrator, user } = tinySlot;
  for (const algorithm of ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256"]) {
    const answer = await client.withPassword(administrator, "id -u; hostname", [
      "HostKeyAlgorithms",
      algorithm,
    ]);
    expect(answer, algorithm).toMatchObject({ exitCode: 0, stdout: "0\ngw-tiny\n" });
  }
  expect((await client.withPassword({ ...administrator, password: "wrong" }, "id")).exitCode).toBe(255);
  expect((await client.withPassword(user, "id")).exitCode).toBe(255);
  expect((await client.withPassword({ name: "root", password: tinySlot.rootPassword }, "id")).exitCode).toBe(
    255,
  );
  expect((await client.withKey("root", join(scratch, "slot-key"), "id -u")).stdout).toBe("0\n");
  expect((await client.withKey(user.name, join(scratch, "slot-key"), "id")).exitCode).toBe(255);

  const look =
    "ip -o addr; ip route; ip -6 route; cat /etc/resolv.conf; cat /sys/class/net/eth0/mtu; cat /etc/motd; dualroot-slots";
  const { stdout } = await client.withPassword(administrator, look);
  expect(stdout).toContain(`inet6 ${tinySlot.ipv6}/64`);
  expect(stdout).toMatch(/^default via 10\.0\.2\.2 dev eth0/m);
  expect(stdout).toMatch(/^198\.51\.100\.0\/24 via 10\.0\.2\.2 dev eth0 *metric 50/m);
  expect(stdout).toMatch(/^search example\.org\nnameserver 10\.0\.2\.3\n1400$/m);
  expect(stdout).toContain("dualroot-try A");
  expect(stdout).toMatch(/^slot a: Tiny Linux 1 .*no kernel to boot/m);
  expect(stdout).toMatch(/^GRUB:.*A_OK=0/m);
  expect(await sha256File(disk)).toBe(before);

  await client.withPassword(administrator, "dualroot-try A");
  await console.waitFor(/Rescue ramdisk/, 60, "the menu once more");
  await console.waitFor(/slot A has no kernel that can be loaded/, 60);
});
