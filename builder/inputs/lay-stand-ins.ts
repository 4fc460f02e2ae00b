import { mkdir, symlink, writeFile } from "node:fs/promises";
import { onDisk, type RawPath } from "../rootfs/raw-path.ts";
import type { Entry } from "../rootfs/walk.ts";

/** Files whose presence says something about the system: stand-ins are made for them. */
const standIns = /^(?:(?:usr\/)?(?:s?bin|lib|lib64)|etc|boot)\//;

/**
 * Folders, links and empty files as in a root filesystem that is never extracted; in path order. No path leads through a link of
 * the tree, so that none can lead a write away.
 */
export async function layStandIns(
  root: string,
  entries: readonly (Pick<Entry, "path" | "type"> & { linkTarget: RawPath })[],
): Promise<void> {
  await mkdir(root, { mode: 0o700 });
  for (const { path, type, linkTarget } of entries) {
    const place = onDisk(root, path);
    if (type === "folder") await mkdir(place, { mode: 0o700 });
    else if (type === "link") await symlink(Buffer.from(linkTarget, "latin1"), place);
    else if (type === "file" && standIns.test(path)) await writeFile(place, "", { flag: "wx" });
  }
}
