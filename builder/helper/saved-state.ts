import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { release } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { StepError } from "../../format/errors.ts";
import type { Accelerator } from "../vm/accelerator.ts";
import type { VirtualMachine } from "../vm/description.ts";
import type { RunningMachine } from "../vm/launch.ts";
import { qemuArguments, qemuProgram } from "../vm/qemu.ts";
import type { QmpClient } from "../vm/qmp.ts";
import { removeOld, touch, withScratch } from "./helper-cache.ts";
import { stampOf } from "./input-stamps.ts";

/** A machine that was stopped before it got its disks: its memory, and its devices. */
export interface SavedState {
  folder: string;
  memory: string;
  devices: string;
}

/** Raised when a saved state of before must not be used any more. */
const stateVersion = 1;
/** QEMU keeps the memory in its file and writes the rest, as for a template of many machines. */
const capability = { capability: "x-ignore-shared", state: true };
const firmware = ["bios-256k.bin", "pvh.bin", "linuxboot_dma.bin", "kvmvapic.bin"];

export interface StateInputs {
  machine: VirtualMachine;
  /** Of the kernel's image as it was installed. */
  kernelStamp: string;
  ramdiskDigest: string;
  accelerator: Accelerator;
}

/** Everything that a saved state depends on. The disks do not: the machine counts its devices anew when it is restored. */
export function savedState(
  cacheFolder: string,
  { machine, kernelStamp, ramdiskDigest, accelerator }: StateInputs,
): SavedState {
  const qemu = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, qemuProgram))
    .find((path) => existsSync(path));
  const sockets = { qmp: "", serial: "", consoleLog: "", ports: "" };
  const inputs = [
    stateVersion,
    qemu === undefined ? "" : stampOf(realpathSync(qemu)),
    ...firmware.flatMap((name) =>
      ["/usr/share/seabios", "/usr/share/qemu"].map((at) => stampOf(join(at, name))),
    ),
    kernelStamp,
    ramdiskDigest,
    qemuArguments({ ...machine, drives: [] }, accelerator, sockets),
    release(),
    processor(),
  ];
  const key = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 24);
  const folder = join(cacheFolder, `state-${key}`);
  return { folder, memory: join(folder, "memory"), devices: join(folder, "devices") };
}

/** Model and abilities of the first processor: a state saved on another one may not run here. */
function processor(): string {
  const text = readFileSync("/proc/cpuinfo", "utf8");
  return ["vendor_id", "cpu family", "model", "stepping", "flags"]
    .map((name) => new RegExp(`^${name}\\s*:.*$`, "m").exec(text)?.[0] ?? "")
    .join("\n");
}

/** Lets `prepare` start a machine whose memory lies in the given file, stops it, and keeps it as the state. */
export async function saveState(
  state: SavedState,
  prepare: (memoryFile: string) => Promise<RunningMachine>,
): Promise<void> {
  await withScratch(state.folder, async (scratch) => {
    await mkdir(scratch, { recursive: true });
    const machine = await prepare(join(scratch, "memory"));
    try {
      await machine.qmp.execute("stop");
      await machine.qmp.execute("migrate-set-capabilities", { capabilities: [capability] });
      await machine.qmp.execute("migrate", { uri: `exec:cat > ${shellQuoted(join(scratch, "devices"))}` });
      await migrationEnd(machine.qmp, "save");
    } finally {
      await machine.kill();
    }
    // Two first starts at once: the first to finish wins.
    await rename(scratch, state.folder).catch((error: unknown) => {
      if (!existsSync(state.folder)) throw error;
    });
  });
  await removeOld(join(state.folder, ".."));
}

/** Fills a machine that was launched with `isIncoming` and lets it run. */
export async function restoreState(state: SavedState, qmp: QmpClient): Promise<void> {
  await qmp.execute("migrate-set-capabilities", { capabilities: [capability] });
  await qmp.execute("migrate-incoming", { uri: `exec:cat ${shellQuoted(state.devices)}` });
  await migrationEnd(qmp, "restore");
  // It was stopped when it was saved, and still is.
  await qmp.execute("cont");
  await touch(state.folder);
}

const migrationSchema = z.looseObject({ status: z.string().optional(), "error-desc": z.string().optional() });

async function migrationEnd(qmp: QmpClient, what: "save" | "restore"): Promise<void> {
  for (;;) {
    const { status, "error-desc": why } = migrationSchema.parse(await qmp.execute("query-migrate"));
    if (status === "completed") return;
    if (status === "failed" || status === "cancelled")
      throw new StepError(`QEMU cannot ${what} the helper's state: ${why ?? status}`);
    await sleep(5);
  }
}

function shellQuoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
