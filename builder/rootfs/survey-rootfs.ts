import type { Reporter } from "../../format/events.ts";
import type { Release } from "../release/release.ts";
import { openSource } from "./open-source.ts";
import { readRootfsFacts, type RootfsFacts } from "./rootfs-facts.ts";
import { selectEntries, type Selection } from "./select-entries.ts";
import { walk } from "./walk.ts";

export interface RootfsSurvey {
  /** The root filesystem as a folder on this host. */
  root: string;
  facts: RootfsFacts;
  selection: Selection;
}

/** Opens the source, lists it, decides what stays out, and looks at what it is. `scratch` is where an archive is extracted to. */
export async function surveyRootfs(
  release: Release,
  scratch: string,
  report: Reporter,
): Promise<RootfsSurvey> {
  const root = await openSource(release.rootfs.source, scratch, report);
  const [entries, facts] = await Promise.all([walk(root), readRootfsFacts(root)]);
  return { root, facts, selection: selectEntries(entries, release.rootfs) };
}
