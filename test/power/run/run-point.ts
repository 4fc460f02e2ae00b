import { rm } from "node:fs/promises";
import { launch } from "../../../builder/vm/launch.ts";
import type { Phase } from "../log/phases.ts";
import type { Point } from "../points/points.ts";
import { finalLine, isPromised, judge, type Reference, type Verdict } from "./judge.ts";
import { tinyMachine } from "./tiny-machine.ts";

export interface PointResult extends Verdict {
  point: string;
  kind: Point["kind"];
  phase: Phase;
  /** Entry number in the log. */
  at: number;
  seconds: number;
  /** How often a ramdisk started. */
  ramdisks: number;
}

/** Generous: the emulated processor may share its core with everything else on this host. */
const limitSeconds = 900;

/** Boots the disk and leaves it alone until a system says what it is. The console's log is kept for what should not be. */
export async function runPoint(
  point: Point,
  disk: string,
  reference: Reference,
  consoleLog: string,
): Promise<PointResult> {
  const begin = performance.now();
  const machine = await launch(tinyMachine({ file: disk }), { accelerator: "tcg", consoleLog });
  let line: string | undefined;
  try {
    line = (await machine.console.waitFor(finalLine, limitSeconds).catch(() => undefined))?.[0];
    if (line !== undefined && /-SYSTEM /.test(line)) await machine.ended(60).catch(() => {});
  } finally {
    await machine.kill();
  }
  const verdict = judge(line, reference);
  if (isPromised(verdict)) await rm(consoleLog, { force: true });
  const { name, kind, phase, at } = point;
  const ramdisks = machine.console.lines.filter(({ text }) =>
    text.includes("dualroot: ramdisk started"),
  ).length;
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  return { point: name, kind, phase, at, ...verdict, seconds, ramdisks };
}
