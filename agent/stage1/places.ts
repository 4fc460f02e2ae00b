import { join } from "node:path";
import { stashFolder } from "../../format/stash.ts";

/** Where stage 1 keeps things on the old system. `root` is `/`, or a folder in tests. */
export interface Places {
  root: string;
  /** /var/lib/dualroot */
  base: string;
  stash: string;
  downloads: string;
  /** Written by the ramdisk when it gave up before the first write. */
  report: string;
  /** What convert last did, so that status and cancel can tell. */
  attempt: string;
  log: string;
}

export function placesBelow(root: string): Places {
  const base = join(root, "/var/lib/dualroot");
  return {
    root,
    base,
    stash: join(root, stashFolder),
    downloads: join(base, "download"),
    report: join(base, "report.json"),
    attempt: join(base, "attempt.json"),
    log: join(base, "stage1.log"),
  };
}
