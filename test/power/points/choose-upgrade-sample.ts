import type { Switches } from "../log/phases.ts";
import type { Point } from "./points.ts";
import { seededRandom } from "./random.ts";

/** Four points of an upgrade: a seeded one while the slot is written, right before and right after the activation, and a seeded one in the first boot. Pure. */
export function chooseUpgradeSample(points: readonly Point[], { deciding }: Switches, seed: string): Point[] {
  const random = seededRandom(seed, "upgrade");
  const [, activated] = deciding;
  if (activated === undefined) throw new Error("the upgrade has no activation");
  const one = (candidates: readonly Point[]): Point | undefined =>
    candidates[Math.floor(random() * candidates.length)];
  const chosen = new Set([
    one(points.filter(({ phase, kind }) => phase === "writing" && kind !== "boundary")),
    points.findLast(({ kind, at }) => kind === "boundary" && at < activated),
    points.find(({ kept, torn }) => kept.includes(activated) && !torn),
    one(points.filter(({ phase, kind }) => phase === "first boot" && kind !== "boundary")),
  ]);
  return points.filter((point) => chosen.has(point));
}
