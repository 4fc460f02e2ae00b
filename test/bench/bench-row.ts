/** One line of `npm run bench`: both sides measured in the same run. */
export interface BenchRow {
  name: string;
  /** In `unit`, as `peer`. */
  ours: number;
  peer: number;
  /** `ours / peer`; at most `target`, or it has failed. */
  ratio: number;
  target: number;
  unit: "s" | "bytes" | "MiB";
}

export function benchRow(
  name: string,
  ours: number,
  peer: number,
  target: number,
  unit: BenchRow["unit"],
): BenchRow {
  return { name, ours, peer, ratio: ours / peer, target, unit };
}
