import { readTextIfExists } from "../../agent/system/files.ts";
import { fetchForSurvey } from "../inputs/fetch-system.ts";
import { openSource, type OpenOptions } from "../inputs/open-source.ts";
import type { RootSource } from "../inputs/root-source.ts";
import type { Release } from "../release/release.ts";
import { readRootfsFacts, type RootfsFacts } from "./rootfs-facts.ts";
import { rootedPath } from "./rooted-path.ts";
import { selectEntries, type Selection } from "./select-entries.ts";
import { swapFiles } from "./swap-files.ts";

export interface RootfsSurvey {
  source: RootSource;
  facts: RootfsFacts;
  selection: Selection;
}

/** Opens the source, lists it, decides what stays out, and looks at what it is. Whoever asks closes the source. */
export async function surveyRootfs(
  release: Release,
  options: Omit<OpenOptions, "allowBackingFile">,
): Promise<RootfsSurvey> {
  const { source: path, allowBackingFile } = release.rootfs;
  const source = await openSource(path, { ...options, allowBackingFile });
  try {
    await fetchForSurvey(source);
    const fstab = (await readTextIfExists(await rootedPath(source.root, "/etc/fstab"))) ?? "";
    return {
      source,
      facts: await readRootfsFacts(source, release.rootfs.overlay),
      selection: selectEntries(source.entries, { ...release.rootfs, swapFiles: swapFiles(fstab) }),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
