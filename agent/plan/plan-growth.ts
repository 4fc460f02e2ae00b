/** A volume that is there: its size, and its share of the free space (`growWeight`). */
export interface GrowingVolume {
  name: string;
  extents: number;
  weight: number;
  slot?: "A" | "B";
}

/**
 * How many extents each volume gets of `free`, by name; those that get none are left out. Nothing with weight 0 changes. Of two
 * slots neither becomes the larger one, for a release must fit into both: the smaller is made equal first, then they halve what
 * their weights bring them together. What does not divide evenly goes to the volume of the greatest weight. The gateway's own
 * rootfs-overlay/usr/lib/dualroot/grow-volumes does the same; a test compares the two.
 */
export function planGrowth(volumes: readonly GrowingVolume[], free: number): Map<string, number> {
  const slots = volumes.filter(({ slot }) => slot !== undefined);
  const [one, two] = slots.length === 2 ? slots : [];
  const isPaired = (volume: GrowingVolume): boolean => volume === one || volume === two;
  const isBlocked = one?.weight === 0 || two?.weight === 0;
  const growing = volumes.filter((volume) => volume.weight > 0 && !(isBlocked && isPaired(volume)));
  const more = new Map(volumes.map(({ name }) => [name, 0]));
  const give = (name: string, extents: number): void => void more.set(name, (more.get(name) ?? 0) + extents);

  let left = free;
  if (one && two && !isBlocked) {
    const level = Math.min(Math.abs(one.extents - two.extents), left);
    give(one.extents < two.extents ? one.name : two.name, level);
    left -= level;
  }
  const total = growing.reduce((sum, { weight }) => sum + weight, 0);
  const pairWeight = (one?.weight ?? 0) + (two?.weight ?? 0);
  let rest = left;
  for (const volume of growing) {
    const share = isPaired(volume)
      ? Math.floor(Math.floor((left * pairWeight) / total) / 2)
      : Math.floor((left * volume.weight) / total);
    give(volume.name, share);
    rest -= share;
  }
  const heir = growing
    .filter((volume) => !isPaired(volume))
    .reduce<GrowingVolume | undefined>(
      (best, volume) => (best && best.weight >= volume.weight ? best : volume),
      undefined,
    );
  if (heir) give(heir.name, rest);
  return new Map([...more].filter(([, extents]) => extents > 0));
}
