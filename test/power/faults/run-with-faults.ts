import { join } from "node:path";
import type { ByteRange } from "../../../agent/plan/step.ts";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { finalLine, judge, type Reference, type Verdict } from "../run/judge.ts";
import { tinyMachine } from "../run/tiny-machine.ts";
import { serveFaultyDisk, type Fault, type FaultyDisk } from "./faulty-disk.ts";

export interface FaultRun extends Verdict {
  /** What the disk did wrong. */
  done: FaultyDisk["done"];
  /** What the cut took of the writes that were not flushed yet. */
  lost: ByteRange[];
  /** Everything the guest wrote. */
  console: string;
  /** Of that, what came when the disk was booted. */
  afterBoot: string;
}

export interface FaultScenario {
  /** The disk's state at the beginning; it is changed. */
  image: string;
  folder: string;
  reference: Reference;
  /** The fault begins when the console shows this. */
  faults?: readonly { from: RegExp; fault: Fault }[];
  /** As kexec would start it; without, the firmware boots the disk. */
  boot?: VirtualMachine["boot"];
  /** The power of a ramdisk that was started directly goes when the console shows this, or with the disk's fault `cut`. */
  cutAt?: RegExp | "fault";
  /** Of what was not flushed then, only writes to this range have arrived; without, all of it. */
  keptByCut?: ByteRange;
  /** How long the boot from the disk is waited for; generous without. */
  limitSeconds?: number;
}

const generousSeconds = 1500;
/** busybox asks the terminal for its place right behind it, so it does not end its line. */
export const rescuePrompt = /rescue:.*#/;

/**
 * Runs a machine on a disk that goes wrong, until a system says what it is. After a ramdisk that was started directly the disk
 * is booted once more, as a gateway's reset would.
 */
export async function runWithFaults(scenario: FaultScenario): Promise<FaultRun> {
  const { image, folder, boot, cutAt, keptByCut, reference, limitSeconds = generousSeconds } = scenario;
  const disk = await serveFaultyDisk(image, join(folder, "disk.socket"));
  const waiting = new Set(scenario.faults ?? []);
  const onLine = ({ text }: { text: string }): void => {
    for (const entry of waiting) {
      if (!entry.from.test(text)) continue;
      waiting.delete(entry);
      disk.inject(entry.fault);
    }
  };
  const start = (machine: VirtualMachine): ReturnType<typeof launch> =>
    launch(machine, { accelerator: "tcg", consoleLog: join(folder, "console.log"), onLine });
  // QEMU keeps the flushes of a disposable disk to itself.
  const machine = tinyMachine({ file: disk.address, disposable: false });
  try {
    let beforeBoot = "";
    let lost: ByteRange[] = [];
    if (boot) {
      const ramdisk = await start({ ...machine, boot, onReset: "stop" });
      try {
        if (cutAt === "fault") await cutByDisk(disk, ramdisk);
        else if (cutAt) await ramdisk.console.waitFor(cutAt, generousSeconds);
        else await ramdisk.ended(generousSeconds);
        beforeBoot = ramdisk.console.textSince(0);
      } finally {
        await ramdisk.kill();
      }
      if (keptByCut) lost = await disk.loseBut(keptByCut);
    }
    const running = await start(machine);
    try {
      const line = (await running.console.waitFor(finalLine, limitSeconds).catch(() => undefined))?.[0];
      // The reason of a rescue comes behind its first line.
      if (line?.includes("rescue system")) await running.console.waitFor(rescuePrompt, 120);
      const afterBoot = running.console.textSince(0);
      const { done } = disk;
      return { ...judge(line, reference), done, lost, console: beforeBoot + afterBoot, afterBoot };
    } finally {
      await running.kill();
    }
  } finally {
    await disk.close();
  }
}

/** Throws when the machine ends before. */
async function cutByDisk(disk: FaultyDisk, machine: Awaited<ReturnType<typeof launch>>): Promise<void> {
  const isCut = await Promise.race([
    disk.cut.then(() => true),
    machine.ended(generousSeconds).then(() => false),
  ]);
  if (!isCut) throw new Error(`the power was never cut:\n${machine.console.tail()}`);
}
