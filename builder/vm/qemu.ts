import { MiB } from "../../format/sizes.ts";
import type { Accelerator } from "./accelerator.ts";
import type { Drive, DriveFilter, Nic, VirtualMachine } from "./description.ts";

export interface QemuSockets {
  qmp: string;
  /** Of its two pipes, without `.in` and `.out`. */
  serial: string;
  /** Everything the guest ever wrote to its serial line. */
  consoleLog: string;
  /** Folder for a socket of each port's name. */
  ports: string;
}

export const qemuProgram = "qemu-system-x86_64";

/** Pure: description -> argv of QEMU. It starts paused (`-S`), so that no line is missed; `cont` over QMP lets it run. */
export function qemuArguments(
  machine: VirtualMachine,
  accelerator: Accelerator,
  sockets: QemuSockets,
): string[] {
  const serial = `pipe,id=serial,path=${escapeValue(sockets.serial)},logfile=${escapeValue(sockets.consoleLog)}`;
  return [
    ["-name", machine.name],
    [
      "-machine",
      machineWord(machine),
      "-accel",
      acceleratorWords[accelerator],
      "-cpu",
      processorWord(machine, accelerator),
    ],
    ["-smp", String(machine.cpus), "-m", String(Math.ceil(machine.memoryBytes / MiB))],
    memoryArguments(machine),
    ["-nodefaults", "-no-user-config", "-display", "none", "-S"],
    machine.display === "vga" ? ["-vga", "std"] : [],
    machine.onReset === "stop" ? ["-no-reboot"] : [],
    [
      "-chardev",
      `socket,id=qmp,path=${escapeValue(sockets.qmp)},server=on,wait=off`,
      "-mon",
      "chardev=qmp,mode=control",
    ],
    ["-chardev", serial, "-serial", "chardev:serial"],
    ["-device", deviceWord(machine, "virtio-rng")],
    machine.watchdog === true ? ["-device", "i6300esb", "-action", "watchdog=reset"] : [],
    // Before the drives, so that their place does not depend on how many drives there are.
    portArguments(machine, sockets.ports),
    ...machine.drives.map((drive, index) => driveArguments(machine, drive, index)),
    ...machine.nics.map((nic, index) => nicArguments(machine, nic, index)),
    bootArguments(machine),
    machine.isIncoming ? ["-incoming", "defer"] : [],
  ].flat();
}

const acceleratorWords: Record<Accelerator, string> = { kvm: "kvm", tcg: "tcg,thread=multi" };

function processorWord({ processor }: VirtualMachine, accelerator: Accelerator): string {
  if (accelerator === "kvm") return "host";
  return processor === "plain" ? "qemu64" : "max";
}

function machineWord(machine: VirtualMachine): string {
  const words = machine.machine === "microvm" ? "microvm,acpi=off,rtc=on" : machine.machine;
  return machine.memoryFile ? `${words},memory-backend=memory` : words;
}

function deviceWord(machine: VirtualMachine, device: string): string {
  return `${device}-${machine.machine === "microvm" ? "device" : "pci"}`;
}

function memoryArguments({ memoryFile, memoryBytes }: VirtualMachine): string[] {
  if (!memoryFile) return [];
  const size = Math.ceil(memoryBytes / MiB);
  const share = memoryFile.writes === "shared" ? "on" : "off";
  return [
    "-object",
    `memory-backend-file,id=memory,size=${size}M,share=${share},mem-path=${escapeValue(memoryFile.path)}`,
  ];
}

function portArguments(machine: VirtualMachine, folder: string): string[] {
  const ports = machine.ports ?? [];
  if (ports.length === 0) return [];
  return [
    ["-device", `${deviceWord(machine, "virtio-serial")},max_ports=${ports.length + 1}`],
    ...ports.map(({ name, kind }, index) => [
      "-chardev",
      `socket,id=port${index},path=${escapeValue(`${folder}/${name}`)},server=on,wait=off`,
      "-device",
      `${kind === "terminal" ? "virtconsole" : "virtserialport"},chardev=port${index},nr=${index + 1},name=${escapeValue(name)}`,
    ]),
  ].flat();
}

function driveArguments(machine: VirtualMachine, drive: Drive, index: number): string[] {
  const cache = drive.disposable ? "unsafe" : "writeback";
  const options = [
    `id=drive${index}`,
    "if=none",
    ...(drive.filter ? filterOptions(drive.filter, drive) : imageOptions(drive)),
    `read-only=${drive.readOnly ? "on" : "off"}`,
    // QEMU itself would keep a flush from a filter; the file below it still does without.
    `cache=${drive.filter ? "writeback" : cache}`,
    "discard=unmap",
    // On a full host QEMU would by itself pause the machine until somebody looks; so the guest is told, and its command fails.
    "werror=report",
    "rerror=report",
    ...(drive.discardWrites ? ["snapshot=on"] : []),
  ];
  return [
    "-drive",
    options.join(","),
    "-device",
    `${deviceWord(machine, "virtio-blk")},drive=drive${index},serial=${escapeValue(drive.serial)}`,
  ];
}

function imageOptions({ file, format, window }: Drive): string[] {
  if (!window) return [`format=${format}`, `file=${escapeValue(file)}`];
  // A raw image in a window is one itself.
  const child = format === "raw" ? "" : "file.";
  return [
    ...(format === "raw" ? [] : [`driver=${format}`]),
    `${child}driver=raw`,
    `${child}offset=${window.offset}`,
    `${child}size=${window.sizeBytes}`,
    `${child}file.driver=file`,
    `${child}file.filename=${escapeValue(file)}`,
  ];
}

/** The same image in the words of qemu-img. */
export function imageWord({ file, format, window }: Pick<Drive, "file" | "format" | "window">): string {
  if (!window) return file;
  const part = {
    driver: "raw",
    offset: window.offset,
    size: window.sizeBytes,
    file: { driver: "file", filename: file },
  };
  return `json:${JSON.stringify(format === "raw" ? part : { driver: format, file: part })}`;
}

function filterOptions(filter: DriveFilter, { file, disposable }: Drive): string[] {
  const child = (role: string, path: string): string[] => [
    `${role}.driver=file`,
    `${role}.filename=${escapeValue(path)}`,
    ...(disposable ? [`${role}.cache.no-flush=on`] : []),
  ];
  return [
    "driver=blklogwrites",
    ...child("file", file),
    ...child("log", filter.log),
    "log-append=off",
    "log-sector-size=512",
  ];
}

function nicArguments(machine: VirtualMachine, nic: Nic, index: number): string[] {
  const forwards = nic.forwards.map(
    ({ hostPort, guestAddress, guestPort }) =>
      `,hostfwd=tcp:127.0.0.1:${hostPort}-${guestAddress}:${guestPort}`,
  );
  return [
    "-netdev",
    `user,id=net${index}${forwards.join("")}`,
    "-device",
    `${deviceWord(machine, "virtio-net")},netdev=net${index},mac=${nic.macAddress}${machine.machine === "microvm" ? "" : ",romfile="}`,
  ];
}

function bootArguments(machine: VirtualMachine): string[] {
  if (!machine.boot) return ["-boot", "strict=on,order=c"];
  const { kernel, initrd, append } = machine.boot;
  return ["-kernel", kernel, ...(initrd === undefined ? [] : ["-initrd", initrd]), "-append", append];
}

/** QEMU's option parser takes `,,` for a comma inside a value. */
function escapeValue(value: string): string {
  return value.replaceAll(",", ",,");
}
