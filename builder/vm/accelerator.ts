import { execa } from "execa";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { qemuProgram } from "./qemu.ts";

export type Accelerator = "kvm" | "tcg";

/** BIOS boot sector that ends QEMU with exit code 33: mov dx,0xf4; mov al,0x10; out dx,al; jmp $. */
const bootSectorCode = Buffer.from("baf400b010eef4ebfd", "hex");
const bootSectorExitCode = 33;
/** A healthy KVM needs 0.3 s for it; where it takes longer, TCG is faster anyway. */
const bootSectorLimitSeconds = 2;
/** A kernel without a root filesystem panics within 2 s under KVM. */
const kernelLimitSeconds = 12;

let verdict: Promise<Accelerator> | undefined;

/**
 * KVM when it really runs guests, else TCG. /dev/kvm may exist and an ordinary guest hang in it for ever, even where a boot
 * sector still runs: so a Linux kernel is tried too. `DUALROOT_ACCELERATOR=kvm|tcg` skips the trial.
 */
export function chooseAccelerator(kernel: string): Promise<Accelerator> {
  verdict ??= probe(kernel);
  return verdict;
}

async function probe(kernel: string): Promise<Accelerator> {
  const wanted = process.env["DUALROOT_ACCELERATOR"];
  if (wanted === "kvm" || wanted === "tcg") return wanted;
  return (await bootSectorRuns()) && (await kernelRuns(kernel)) ? "kvm" : "tcg";
}

async function bootSectorRuns(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-kvm-"));
  try {
    const disk = Buffer.alloc(1024 * 1024);
    bootSectorCode.copy(disk);
    disk.writeUInt16LE(0xaa55, 510);
    const file = join(folder, "boot.img");
    await writeFile(file, disk);
    const exitCode = await tryKvm(
      ["-drive", `file=${file},format=raw`, "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
      bootSectorLimitSeconds,
    );
    return exitCode === bootSectorExitCode;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** It panics for want of a root, restarts at once (`panic=-1`), and `-no-reboot` makes that a clean exit. */
async function kernelRuns(kernel: string): Promise<boolean> {
  return (
    (await tryKvm(["-no-reboot", "-kernel", kernel, "-append", "panic=-1 quiet"], kernelLimitSeconds)) === 0
  );
}

async function tryKvm(words: readonly string[], limitSeconds: number): Promise<number | undefined> {
  const common = [
    "-accel",
    "kvm",
    "-cpu",
    "host",
    "-machine",
    "q35",
    "-m",
    "256",
    "-nodefaults",
    "-display",
    "none",
  ];
  const result = await execa(qemuProgram, [...common, ...words], {
    reject: false,
    stdin: "ignore",
    timeout: limitSeconds * 1000,
    killSignal: "SIGKILL",
  });
  return result.timedOut ? undefined : result.exitCode;
}
