import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { finalLine, judge, type Reference, type Verdict } from "../run/judge.ts";
import { tinyMachine } from "../run/tiny-machine.ts";
import { serveFaultyDisk, type Fault, type FaultyDisk } from "./faulty-disk.ts";

export interface FaultRun extends Verdict {
  /** What the disk did wrong. */
  done: FaultyDisk["done"];
  /** Everything the guest wrote. */
  console: string;
}

export interface FaultScenario {
  /** The disk's state at the beginning; a copy of it is used. */
  image: string;
  folder: string;
  reference: Reference;
  /** The fault begins when the console shows this. */
  faults?: readonly { from: RegExp; fault: Fault }[];
  /** As kexec would start it; without, the firmware boots the disk. */
  boot?: VirtualMachine["boot"];
  /** The power goes when the console of a ramdisk that was started directly shows this. */
  cutAt?: RegExp;
  /** How long the boot from the disk is waited for; generous without. */
  limitSeconds?: number;
}

const generousSeconds = 1500;

/**
 * Runs a machine on a disk that goes wrong, until a system says what it is. After a ramdisk that was started directly the disk
 * is booted once more, as a gateway's reset would.
 */
export async function runWithFaults(scenario: FaultScenario): Promise<FaultRun> {
  const { folder, boot, cutAt, reference, limitSeconds = generousSeconds } = scenario;
  const image = join(folder, "faulty.img");
  await copyFile(scenario.image, image);
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
  const machine = tinyMachine({ file: disk.address });
  try {
    let text = "";
    if (boot) {
      const ramdisk = await start({ ...machine, boot, onReset: "stop" });
      try {
        if (cutAt) await ramdisk.console.waitFor(cutAt, generousSeconds);
        else await ramdisk.ended(generousSeconds);
        text = ramdisk.console.textSince(0);
      } finally {
        await ramdisk.kill();
      }
    }
    const running = await start(machine);
    try {
      const line = (await running.console.waitFor(finalLine, limitSeconds).catch(() => undefined))?.[0];
      // The reason of a rescue comes behind its first line.
      if (line?.includes("rescue system")) await running.console.waitFor(/[#$] $/m, 120).catch(() => {});
      return { ...judge(line, reference), done: disk.done, console: text + running.console.textSince(0) };
    } finally {
      await running.kill();
    }
  } finally {
    await disk.close();
  }
}
