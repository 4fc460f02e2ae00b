import { phases } from "../log/phases.ts";
import type { Point } from "./points.ts";
import { seededRandom } from "./random.ts";

/**
 * `count` of the points, in the log's order: the neighbours of every switch first, then from each phase in turn, so that a short
 * phase is not drowned by a long one. Pure; the same seed, the same choice.
 */
export function choosePoints(points: readonly Point[], count: number, seed: string): Point[] {
  if (count >= points.length) return [...points];
  const chosen = new Set(points.filter(({ kind }) => kind === "switch").slice(0, count));
  const random = seededRandom(seed, "choice");
  const byPhase = phases.map((phase) =>
    shuffle(
      points.filter((point) => point.phase === phase && !chosen.has(point)),
      random,
    ),
  );
  while (chosen.size < count) {
    for (const rest of byPhase) {
      const next = rest.pop();
      if (next && chosen.size < count) chosen.add(next);
    }
  }
  return points.filter((point) => chosen.has(point));
}

function shuffle<T>(values: T[], random: () => number): T[] {
  for (let last = values.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [values[last], values[other]] = [values[other]!, values[last]!];
  }
  return values;
}
