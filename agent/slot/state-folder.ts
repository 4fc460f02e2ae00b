import type { MountFacts } from "../facts/facts.ts";

/** /data/dualroot where the layout has /data, for that outlives slots; else in the slot that runs. As `state_folder` in slots.sh. */
export function stateFolderOf(mounts: readonly Pick<MountFacts, "target">[]): string {
  return mounts.some(({ target }) => target === "/data") ? "/data/dualroot" : "/var/lib/dualroot";
}
