import { execa } from "execa";
import { expect, test } from "vitest";
import type { VirtualMachine } from "../../../../builder/vm/description.ts";
import { qemuArguments, qemuProgram } from "../../../../builder/vm/qemu.ts";
import { GiB } from "../../../../format/sizes.ts";

const machine: VirtualMachine = {
  name: "gateway",
  machine: "q35",
  memoryBytes: GiB,
  cpus: 1,
  drives: [
    { file: "/tmp/a,b.qcow2", format: "qcow2", readOnly: false, serial: "gateway", disposable: true },
    { file: "/tmp/media.img", format: "raw", readOnly: true, serial: "media", disposable: false },
  ],
  nics: [
    {
      macAddress: "52:54:00:77:00:01",
      forwards: [{ hostPort: 2222, guestAddress: "10.0.2.77", guestPort: 22 }],
    },
  ],
  display: "vga",
  onReset: "restart",
};
const sockets = { qmp: "/tmp/q", serial: "/tmp/s", consoleLog: "/tmp/console.log", ports: "/tmp/ports" };

function valueAfter(words: readonly string[], start: string): string | undefined {
  return words.find((word) => word.startsWith(start));
}

test("a gateway boots from its first disk, paused until control is connected", () => {
  const words = qemuArguments(machine, "tcg", sockets);
  expect(words).toContain("-S");
  expect(words).toContain("tcg,thread=multi");
  expect(words.slice(words.indexOf("-m"), words.indexOf("-m") + 2)).toEqual(["-m", "1024"]);
  expect(words).toContain("strict=on,order=c");
  expect(words).not.toContain("-no-reboot");
  expect(words).not.toContain("-kernel");
});

test("a comma in a file name is doubled, read-only and cache follow the drive", () => {
  const words = qemuArguments(machine, "tcg", sockets);
  expect(valueAfter(words, "id=drive0")).toBe(
    "id=drive0,if=none,format=qcow2,file=/tmp/a,,b.qcow2,read-only=off,cache=unsafe,discard=unmap,werror=report,rerror=report",
  );
  expect(valueAfter(words, "id=drive1")).toContain("read-only=on,cache=writeback");
});

test("a drive whose writes are recorded gets its flushes, and the files below it need none", () => {
  const [gateway] = machine.drives;
  const drives = [
    { ...gateway!, format: "raw" as const, filter: { kind: "record-writes" as const, log: "/tmp/l,og" } },
  ];
  expect(valueAfter(qemuArguments({ ...machine, drives }, "tcg", sockets), "id=drive0")).toBe(
    "id=drive0,if=none,driver=blklogwrites,file.driver=file,file.filename=/tmp/a,,b.qcow2,file.cache.no-flush=on," +
      "log.driver=file,log.filename=/tmp/l,,og,log.cache.no-flush=on,log-append=off,log-sector-size=512," +
      "read-only=off,cache=writeback,discard=unmap,werror=report,rerror=report",
  );
});

test("a plain processor has no vector extensions; KVM has its own", () => {
  const plain = { ...machine, processor: "plain" as const };
  expect(qemuArguments(plain, "tcg", sockets)).toContain("qemu64");
  expect(qemuArguments(plain, "kvm", sockets)).not.toContain("qemu64");
  expect(qemuArguments(machine, "tcg", sockets)).toContain("max");
});

test("forwards lead from the host's loopback to the guest's address", () => {
  expect(qemuArguments(machine, "kvm", sockets)).toContain(
    "user,id=net0,hostfwd=tcp:127.0.0.1:2222-10.0.2.77:22",
  );
});

test("a kernel given is booted with its initrd and command line", () => {
  const words = qemuArguments(
    { ...machine, boot: { kernel: "/k", initrd: "/i", append: "console=ttyS0" }, onReset: "stop" },
    "tcg",
    sockets,
  );
  expect(words.slice(words.indexOf("-kernel"))).toEqual([
    "-kernel",
    "/k",
    "-initrd",
    "/i",
    "-append",
    "console=ttyS0",
  ]);
  expect(words).toContain("-no-reboot");
});

test("ports come before drives, memory from a file, and a discarded disk is opened for reading only", () => {
  const words = qemuArguments(
    {
      ...machine,
      ports: [
        { name: "control", kind: "stream" },
        { name: "screen", kind: "terminal" },
      ],
      memoryFile: { path: "/tmp/a,b", writes: "private" },
      drives: [{ ...machine.drives[0]!, discardWrites: true }],
      isIncoming: true,
    },
    "tcg",
    sockets,
  );
  const places = ["virtio-serial-pci", "virtserialport,", "virtconsole,", "virtio-blk-pci"].map((start) =>
    words.findIndex((word) => word.startsWith(start)),
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(words).toContain("memory-backend-file,id=memory,size=1024M,share=off,mem-path=/tmp/a,,b");
  expect(words).toContain("q35,memory-backend=memory");
  expect(valueAfter(words, "socket,id=port0")).toContain("path=/tmp/ports/control");
  expect(valueAfter(words, "id=drive0")).toContain("snapshot=on");
  expect(words.slice(-2)).toEqual(["-incoming", "defer"]);
});

test("QEMU itself knows every device word that is used", async () => {
  for (const device of ["virtio-blk-pci", "virtio-net-pci", "virtio-rng-pci"]) {
    const { exitCode } = await execa(qemuProgram, ["-machine", "q35", "-device", `${device},help`], {
      reject: false,
    });
    expect({ device, exitCode }).toEqual({ device, exitCode: 0 });
  }
});
