import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../builder/system/cache-folder.ts";
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
    cacheFolder: cacheFolder(),
    profile: "virtual",
    agentEntry: fileURLToPath(new URL("../fixtures/ramdisk-probe.ts", import.meta.url)),
  };
  return () => rmSync(scratch, { recursive: true });
});
afterEach(() => machines.splice(0).forEach((machine) => machine.kill("SIGKILL")));

/** A machine with nothing but `hardware`; `until` waits for a pattern on its serial console. */
function boot(image: string, commandLine: string, hardware: readonly string[] = []) {
  const accelerator = ["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", "1024"];
  const devices = ["-nodefaults", "-no-reboot", "-display", "none", "-vga", "std", "-serial", "stdio"];
  const kernel = ["-kernel", inputs.kernel.image, "-initrd", image, "-append", commandLine];
  const machine = spawn("qemu-system-x86_64", [...accelerator, ...devices, ...kernel, ...hardware], {
    stdio: "pipe",
  });
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

test("every disk controller and network card QEMU can show is found and driven", async () => {
  const image = join(scratch, "drivers.img");
  const agentEntry = fileURLToPath(new URL("../fixtures/driver-probe.ts", import.meta.url));
  await buildRamdisk({ ...inputs, profile: "all", agentEntry }, image, silent);
  const disk = (name: string, size: number): string[] => [
    "-drive",
    `driver=null-co,read-zeroes=on,size=${size}M,if=none,id=${name}`,
  ];
  const disks: [name: string, driver: string, ...devices: string[]][] = [
    ["virtio", "virtio_blk", "virtio-blk-pci,drive=virtio"],
    ["scsi", "virtio_scsi", "virtio-scsi-pci,id=s1", "scsi-hd,bus=s1.0,drive=scsi"],
    ["pvscsi", "vmw_pvscsi", "pvscsi,id=s2", "scsi-hd,bus=s2.0,drive=pvscsi"],
    ["megasas", "megaraid_sas", "megasas,id=s4", "scsi-hd,bus=s4.0,drive=megasas"],
    ["lsi", "sym53c8xx", "lsi53c895a,id=s5", "scsi-hd,bus=s5.0,drive=lsi"],
    ["ahci", "ahci", "ahci,id=s6", "ide-hd,bus=s6.0,drive=ahci"],
    ["piix", "ata_piix", "ide-hd,bus=ide.0,drive=piix"],
    ["nvme", "nvme", "nvme,serial=1,drive=nvme"],
    ["stick", "usb-storage", "qemu-xhci,id=u1", "usb-storage,bus=u1.0,drive=stick"],
  ];
  const cards = ["e1000", "e1000e", "vmxnet3", "virtio-net-pci", "rtl8139", "pcnet"];
  const hardware = [
    ...disks.flatMap(([name, , ...devices], index) => [
      ...disk(name, index + 11),
      ...devices.flatMap((device) => ["-device", device]),
    ]),
    // Its emulation shows Linux no disk behind the controller.
    ...["-device", "mptsas1068"],
    ...cards.flatMap((card) => ["-device", card]),
  ];
  const machine = boot(image, "quiet console=ttyS0 panic=5", hardware);
  const output = await machine.until(/probe is done/, 180);
  const found = disks.map(([name], index) => [
    name,
    new RegExp(`disk ${index + 11} MiB by (\\S+)`).exec(output)?.[1],
  ]);
  expect(found).toEqual(disks.map(([name, driver]) => [name, driver]));
  expect(output).toContain("SCSI host by mptsas");
  const driven = [...output.matchAll(/network card by (\S+)/g)].map((match) => match[1]);
  const expected = ["8139cp", "e1000", "e1000e", "pcnet32", "virtio_net", "vmxnet3"];
  expect(driven).toHaveLength(expected.length);
  expect(driven).toEqual(expect.arrayContaining(expected));
});

test("a command line that names only a console the machine does not have keeps nobody from converting it", async () => {
  const image = join(scratch, "silent.img");
  const agentEntry = join(scratch, "silent.ts");
  writeFileSync(
    agentEntry,
    `import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
    let written = "works";
    try { writeFileSync("/dev/console", "lost"); } catch (error) { written = error.code; }
    process.stdout.write("not on a console");
    const active = readFileSync("/sys/class/tty/console/active", "utf8").trim();
    writeFileSync("/dev/ttyS0", \`console \${active}: \${written}, output to \${readlinkSync("/proc/self/fd/1")}\\n\`);`,
  );
  await buildRamdisk({ ...inputs, agentEntry }, image, silent);
  const machine = boot(image, "quiet console=ttyS3 panic=5");
  const output = await machine.until(/output to \/dev\/(null|console|ttyS)/);
  expect(output).toContain("console ttyS3: EIO, output to /dev/null");
});
