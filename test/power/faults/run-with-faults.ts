import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { launch } from "../../../builder/vm/launch.ts";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
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
  faults: readonly { from: RegExp; fault: Fault }[];
  /** As kexec would start it; without, the firmware boots the disk. */
  boot?: VirtualMachine["boot"];
}

const limitSeconds = 1500;

/**
 * Runs a machine on a disk that goes wrong, until a system says what it is. After a ramdisk that was started directly the disk
 * is booted once more, as a gateway's reset would.
 */
export async function runWithFaults(scenario: FaultScenario): Promise<FaultRun> {
  const { folder, faults } = scenario;
  const image = join(folder, "faulty.img");
  await copyFile(scenario.image, image);
  const disk = await serveFaultyDisk(image, join(folder, "disk.socket"));
  const waiting = new Set(faults);
  const onLine = ({ text }: { text: string }): void => {
    for (const entry of waiting) {
      if (!entry.from.test(text)) continue;
      waiting.delete(entry);
      disk.inject(entry.fault);
    }
  };
  const run = async (machine: VirtualMachine): Promise<{ line: string | undefined; text: string }> => {
    const running = await launch(machine, {
      accelerator: "tcg",
      consoleLog: join(folder, "console.log"),
      onLine,
    });
    try {
      const line = (await running.console.waitFor(finalLine, limitSeconds).catch(() => undefined))?.[0];
      // The reason of a rescue comes after its first line.
      if (line === undefined || !line.includes("rescue")) await running.ended(60).catch(() => {});
      else await running.console.waitFor(/# $/m, 120).catch(() => {});
      return { line, text: running.console.textSince(0) };
    } finally {
      await running.kill();
    }
  };
  try {
    const machine = tinyMachine({ file: disk.address });
    if (!scenario.boot) {
      const { line, text } = await run(machine);
      return { ...judge(line, scenario.reference), done: disk.done, console: text };
    }
    const first = await run({ ...machine, boot: scenario.boot, onReset: "stop" });
    const second = await run(machine);
    return {
      ...judge(second.line, scenario.reference),
      done: disk.done,
      console: first.text + second.text,
    };
  } finally {
    await disk.close();
  }
}
