import { readdir } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import { lstatIfExists, type RootFolder } from "./root-folder.ts";

/** Carried whatever the release lists. Keys of people are added for each home folder. */
export const defaultPreservedPaths = [
  "/etc/ssh/ssh_host_*_key",
  "/etc/ssh/ssh_host_*_key.pub",
  "/etc/ssh/ssh_host_*_key-cert.pub",
  "/etc/sudoers.d/*",
] as const;

/** Never carried, whatever a list says: not files of the system, or our own stash. */
const neverPreserved = ["/proc", "/sys", "/dev", "/run", "/var/lib/dualroot", "/data/dualroot"];
const maxEntries = 1_000_000;

export interface PreservedEntries {
  /** Real inside paths (no link on the way), sorted: folders before what is in them. */
  entries: string[];
  /** Listed paths and patterns that matched nothing. */
  missing: string[];
}

/**
 * All entries that `listed` and `optional` patterns stand for: folders with everything in them, and the folders above,
 * for their owners and modes. `folders` are taken without what is in them; nothing in `elsewhere` is. Only listed patterns can be missing.
 */
export async function expandPreservedPaths(
  root: RootFolder,
  wanted: {
    listed: readonly string[];
    optional: readonly string[];
    folders: readonly string[];
    elsewhere?: readonly string[];
  },
): Promise<PreservedEntries> {
  const found = new Set<string>();
  const missing: string[] = [];
  for (const pattern of new Set([...wanted.optional, ...wanted.listed])) {
    const matches = (await root.glob(pattern)).filter((path) => !isNever(path));
    if (matches.length === 0 && !wanted.optional.includes(pattern)) missing.push(pattern);
    for (const match of matches) await addPath(root, match, found);
  }
  for (const folder of wanted.folders) {
    const path = await root.resolve(folder);
    if (path !== undefined && (await root.lstat(path))?.isDirectory() === true) addWithParents(path, found);
  }
  const { elsewhere = [] } = wanted;
  const entries = [...found].filter((path) => !elsewhere.some((folder) => path.startsWith(`${folder}/`)));
  return { entries: entries.sort(), missing };
}

/** A link is carried as a link, and so is what it leads to: the new system must find both. */
async function addPath(root: RootFolder, path: string, entries: Set<string>): Promise<void> {
  const links: string[] = [];
  const target = await root.resolve(path, { links });
  if (target === undefined) return;
  for (const link of links) addWithParents(link, entries);
  await addTree(root, target, entries);
}

/** `realPath` has no link on the way, so each entry costs one look and not one for every folder above it. */
async function addTree(root: RootFolder, realPath: string, entries: Set<string>): Promise<void> {
  if (realPath === "/" || isNever(realPath)) return;
  const facts = await lstatIfExists(root.outside(realPath));
  if (facts === undefined || facts.isSocket()) return;
  addWithParents(realPath, entries);
  if (entries.size > maxEntries) {
    throw new StepError(`The preserved paths hold more than ${maxEntries} files, counted up to ${realPath}`, {
      hint: "Narrow preserve.paths of the release.",
    });
  }
  if (facts.isDirectory()) {
    for (const name of await readdir(root.outside(realPath)))
      await addTree(root, `${realPath}/${name}`, entries);
  }
}

function addWithParents(realPath: string, entries: Set<string>): void {
  for (
    let path = realPath;
    path.length > 1 && !entries.has(path);
    path = path.slice(0, path.lastIndexOf("/"))
  ) {
    if (!isNever(path)) entries.add(path);
  }
}

function isNever(path: string): boolean {
  return neverPreserved.some((never) => path === never || path.startsWith(`${never}/`));
}
