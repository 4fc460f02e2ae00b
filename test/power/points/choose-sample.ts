import type { Phase, Switches } from "../log/phases.ts";
import type { Point } from "./points.ts";
import { seededRandom } from "./random.ts";

/**
 * A dozen points that have all that can go wrong at a switch: right before and right after arming and the last switch, and
 * seeded ones in every phase. Pure; in the log's order.
 */
export function chooseSample(points: readonly Point[], switches: Switches, seed: string): Point[] {
  const random = seededRandom(seed, "sample");
  const [armed] = switches.deciding;
  const last = switches.deciding.at(-1);
  const chosen = new Set<Point | undefined>();
  for (const entry of [armed, last]) {
    if (entry === undefined) continue;
    chosen.add(points.findLast(({ kind, at }) => kind === "boundary" && at < entry));
    chosen.add(points.find(({ kept, torn }) => kept.includes(entry) && !torn));
  }
  const some = (phase: Phase, kinds: readonly Point["kind"][], count: number): void => {
    const rest = points.filter((point) => point.phase === phase && kinds.includes(point.kind));
    for (let found = 0; found < count && rest.length > 0;) {
      const [point] = rest.splice(Math.floor(random() * rest.length), 1);
      if (chosen.has(point)) continue;
      chosen.add(point);
      found += 1;
    }
  };
  some("stage 1", ["boundary"], 1);
  some("stage 1", ["subset", "torn"], 2);
  some("rewriting", ["subset"], 1);
  some("rewriting", ["torn"], 1);
  some("first boot", ["boundary"], 1);
  some("first boot", ["subset", "torn"], 1);
  some("committed", ["boundary", "subset", "torn"], 1);
  return points.filter((point) => chosen.has(point));
}
