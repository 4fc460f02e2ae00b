import type { Epoch } from "../log/epochs.ts";
import { firstEntry, phaseOf, type Phase, type Switches } from "../log/phases.ts";
import { blockSectors, type LogEntry } from "../log/write-log.ts";
import { seededRandom } from "./random.ts";

/** A moment at which the power goes: everything before `epoch` is on the medium, and of the epoch itself what is `kept`. */
export interface Point {
  /** Names it in results: `EPOCH-KIND-NUMBER`. The same for the same log and seed. */
  name: string;
  kind: "boundary" | "subset" | "torn" | "switch";
  epoch: number;
  /** Entry numbers, in the log's order. */
  kept: number[];
  /** Of this kept entry only the first sectors arrived. */
  torn?: { entry: number; sectors: number };
  phase: Phase;
  /** Number of the last entry that is, in part, on the medium. */
  at: number;
}

export interface PointsInput {
  log: readonly LogEntry[];
  epochs: readonly Epoch[];
  switches: Switches;
  seed: string;
}

/** Chances with which a write in flight is kept: few, half, most. */
const chances = [0.2, 0.5, 0.8];

/** All points of a recording. Pure; from the beginning of stage 1, or of the upgrade, on. */
export function listPoints({ log, epochs, switches, seed }: PointsInput): Point[] {
  const from = firstEntry(switches);
  return [...epochs.entries()]
    .filter(([, epoch]) => epoch.end > from)
    .flatMap(([number, epoch]) => {
      const random = seededRandom(seed, number);
      const candidates: Omit<Point, "name" | "epoch" | "phase" | "at">[] = [
        ...switchNeighbours(epoch, switches),
        { kind: "boundary", kept: epoch.writes },
        ...chances.map((chance) => ({
          kind: "subset" as const,
          kept: epoch.writes.filter(() => random() < chance),
        })),
        ...tornVersions(log, epoch, random),
      ];
      const seen = new Set<string>();
      return candidates
        .filter((candidate) => {
          const key = JSON.stringify([candidate.kept, candidate.torn]);
          const isNews = candidate.kept.length > 0 && !seen.has(key);
          seen.add(key);
          return isNews;
        })
        .map((candidate, index) => {
          const at = candidate.kept.at(-1) ?? epoch.end;
          return {
            ...candidate,
            name: `${number}-${candidate.kind}-${index}`,
            epoch: number,
            at,
            phase: phaseOf(at, switches),
          };
        });
    });
}

/** Around a write that decides what boots: without it, it alone, everything up to it, everything but it. */
function switchNeighbours({ writes }: Epoch, { deciding }: Switches): Pick<Point, "kind" | "kept">[] {
  return deciding
    .filter((entry) => writes.includes(entry))
    .flatMap((entry) =>
      [
        writes.filter((write) => write < entry),
        [entry],
        writes.filter((write) => write <= entry),
        writes.filter((write) => write !== entry),
      ].map((kept) => ({ kind: "switch" as const, kept })),
    );
}

function tornVersions(
  log: readonly LogEntry[],
  { writes }: Epoch,
  random: () => number,
): Pick<Point, "kind" | "kept" | "torn">[] {
  const large = writes.filter((write) => log[write]!.kind === "write" && log[write]!.sectors > 1);
  const entry = large[Math.floor(random() * large.length)];
  if (entry === undefined) return [];
  const { sectors: all, commits = [] } = log[entry]!;
  const anywhere = 1 + Math.floor(random() * (all - 1));
  // ext4 itself does not survive half a commit block: its checksum is of the whole one. See docs/power-tests.md.
  const commit = commits.find((start) => anywhere > start && anywhere < start + blockSectors);
  const sectors = commit ?? anywhere;
  const kept = writes.filter((write) => write === entry || (write < entry && random() < 0.5));
  return [{ kind: "torn", kept, torn: { entry, sectors } }];
}
