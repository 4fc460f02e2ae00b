import { createWriteStream } from "node:fs";
import { link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { onDisk, type RawPath } from "../rootfs/raw-path.ts";
import type { Entry } from "../rootfs/walk.ts";

/** Files whose presence says something about the system: stand-ins are made for them. */
const standIns = /^(?:(?:usr\/)?(?:s?bin|lib|lib64)|etc|boot)\//;

/**
 * Folders, links and empty files as in a root filesystem that is never extracted; in path order. No path leads through a link of
 * the tree, so that none can lead a write away. The empty files are names of one, for making thousands takes seconds: only
 * `fillStandIn` and `linkStandIn` may write to them.
 */
export async function layStandIns(
  root: string,
  entries: readonly (Pick<Entry, "path" | "type"> & { linkTarget: RawPath })[],
): Promise<void> {
  await mkdir(root, { mode: 0o700 });
  let empty: Buffer | undefined;
  for (const { path, type, linkTarget } of entries) {
    const place = onDisk(root, path);
    if (type === "folder") await mkdir(place, { mode: 0o700 });
    else if (type === "link") await symlink(Buffer.from(linkTarget, "latin1"), place);
    else if (type === "file" && standIns.test(path)) {
      // A file may have 65 000 names on ext4, and one only on some other filesystems.
      if (!empty || !(await isLinked(empty, place))) await writeFile((empty = place), "", { flag: "wx" });
    }
  }
}

async function isLinked(from: Buffer, to: Buffer): Promise<boolean> {
  return await link(from, to).then(
    () => true,
    () => false,
  );
}

/** The file's content takes the place of its stand-in, or comes where there was none. */
export async function fillStandIn(
  root: string,
  path: RawPath,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const place = onDisk(root, path);
  await rm(place, { force: true });
  await pipeline(Readable.from(content, { objectMode: false }), createWriteStream(place, { flags: "wx" }));
}

/** Another name of a file that was filled. */
export async function linkStandIn(root: string, path: RawPath, filled: RawPath): Promise<void> {
  await rm(onDisk(root, path), { force: true });
  await link(onDisk(root, filled), onDisk(root, path));
}
