import { readdir, readlink, stat } from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import { sha256File } from "../../agent/system/files.ts";
import { userError } from "../../format/errors.ts";
import { rawPath, type RawPath } from "./raw-path.ts";
import { rootedPath } from "./rooted-path.ts";

/** Something laid over the root filesystem, owned by root. `path` is where it really lies there. */
export type OverlayEntry = { path: RawPath; mode: number } & (
  | { type: "file"; content: Buffer | StoredFile }
  | { type: "link"; target: string }
  | { type: "folder" }
);

/** A file of an overlay folder: it may be of any size, so it is read when it is packed. */
export interface StoredFile {
  source: string;
  sizeBytes: number;
  sha256: string;
}

export interface OverlayOptions {
  /** Names at the top of the folder that are not laid. */
  skip?: readonly string[];
  /** `program`: 0755 if executable, else 0644, as git keeps it. `given`: as it is, without write permission for others. */
  modes: "program" | "given";
}

/** Everything in an overlay folder, at the places it has in `root`: `/lib/x` goes to `usr/lib/x` where `/lib` is a link. */
export async function readOverlay(
  folder: string,
  root: string,
  options: OverlayOptions,
): Promise<OverlayEntry[]> {
  const entries: OverlayEntry[] = [];
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw userError(
      {
        code: "overlay-missing",
        message: `the overlay folder ${folder} cannot be read`,
        hint: "rootfs.overlay is a folder whose files are laid at their paths.",
      },
      "badInput",
      { cause },
    );
  });
  for (const entry of found) {
    const source = join(entry.parentPath, entry.name);
    const inside = source.slice(folder.length).replace(/^\/+/, "");
    if (options.skip?.includes(inside)) continue;
    const path = await placeIn(root, inside);
    if (entry.isSymbolicLink()) {
      entries.push({ path, mode: 0o777, type: "link", target: await readlink(source) });
      continue;
    }
    const { mode: given, size: sizeBytes } = await stat(source);
    const mode =
      options.modes === "given" ? given & 0o755 : given & 0o100 || entry.isDirectory() ? 0o755 : 0o644;
    if (entry.isDirectory()) entries.push({ path, mode, type: "folder" });
    else if (entry.isFile()) {
      const sha256 = await sha256File(source);
      entries.push({ path, mode, type: "file", content: { source, sizeBytes, sha256 } });
    } else
      throw userError({
        code: "overlay-entry-unknown",
        message: `the overlay has ${source}, which is no file, folder or link`,
        hint: "Put devices and pipes into the root filesystem itself.",
      });
  }
  return entries;
}

/** Where a path lies once the links among its parents are followed. The last name itself is laid, link or not. */
export async function placeIn(root: string, path: string): Promise<RawPath> {
  const parent = (await rootedPath(root, dirname(path))).slice(root.length);
  return rawPath(posix.join(parent, basename(path)).replace(/^\/+/, ""));
}

/** One list out of several, later ones win; parents that the root filesystem lacks are added; sorted. */
export function mergeOverlays(
  overlays: readonly (readonly OverlayEntry[])[],
  folders: ReadonlySet<RawPath>,
): OverlayEntry[] {
  const merged = new Map<RawPath, OverlayEntry>();
  for (const entry of overlays.flat()) {
    if (entry.type === "folder" && folders.has(entry.path)) continue;
    merged.set(entry.path, entry);
    for (let at = entry.path.indexOf("/"); at !== -1; at = entry.path.indexOf("/", at + 1)) {
      const parent = entry.path.slice(0, at);
      if (!folders.has(parent) && !merged.has(parent))
        merged.set(parent, { path: parent, mode: 0o755, type: "folder" });
    }
  }
  return [...merged.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
