import { readdirSync, readFileSync, statSync, type Dirent } from "node:fs";
import { join, relative } from "node:path";
import { hasErrorCode, userError } from "../../format/errors.ts";
import { inRoot, isFile } from "../rootfs/rooted-path.ts";
import { moduleName, readModuleInfo, type ModuleInfo } from "./module-info.ts";
import { openReadAt } from "./read-at.ts";
import { uncompressedModules, type ModuleDecompressor } from "./uncompressed-modules.ts";

/** A module of the closure. */
export interface KernelModule extends ModuleInfo {
  name: string;
  /** Below `lib/modules/VERSION`, without a compression suffix: `kernel/fs/xfs/xfs.ko`. */
  relativePath: string;
  /** Its uncompressed bytes. */
  path: string;
  size: number;
}

export interface ModuleClosure {
  /** Sorted by path. */
  modules: KernelModule[];
  /** Names the kernel has built in. */
  builtIn: Set<string>;
  /** Asked for, neither there nor built in. */
  missing: string[];
}

/**
 * The wanted modules with all they need, read from the modules themselves: a kernel package that was only unpacked has no
 * modules.dep yet, and an installed one says nothing more in it. `root`: the root filesystem the folder is of, for its links
 * mean places there; without it they are this host's.
 */
export async function moduleClosure(
  modulesFolder: string,
  wanted: readonly string[],
  decompressor: ModuleDecompressor,
  root?: string,
): Promise<ModuleClosure> {
  const paths = findModules(modulesFolder, root);
  const builtIn = readBuiltIn(modulesFolder, root);
  if (paths.size === 0 && builtIn.size === 0) {
    throw userError({
      code: "kernel-modules-missing",
      message: `${modulesFolder} holds no kernel modules.`,
      hint: "Give the folder lib/modules/VERSION of the same kernel as the image.",
      where: modulesFolder,
    });
  }
  const modules = new Map<string, KernelModule>();
  let level = [...new Set(wanted.map(moduleName))];
  const missing = level.filter((name) => !paths.has(name) && !builtIn.has(name));
  while (level.length > 0) {
    const present = level.filter((name) => paths.has(name) && !modules.has(name));
    const places = present.map((name) => inRoot(root, paths.get(name)!));
    for (const place of places) refuseEmpty(place);
    const files = await uncompressedModules(places, decompressor);
    const next = new Set<string>();
    for (const [index, name] of present.entries()) {
      const module = readModule(modulesFolder, name, paths.get(name)!, files[index]!);
      modules.set(name, module);
      for (const other of [
        ...module.depends,
        ...module.softDependencies.before,
        ...module.softDependencies.after,
      ]) {
        if (!modules.has(other)) next.add(other);
      }
    }
    level = [...next];
  }
  const sorted = [...modules.values()].toSorted((a, b) => (a.relativePath < b.relativePath ? -1 : 1));
  return { modules: sorted, builtIn, missing };
}

function readModule(modulesFolder: string, name: string, path: string, file: string): KernelModule {
  const { readAt, size, close } = openReadAt(file);
  try {
    const relativePath = relative(modulesFolder, path).replace(/\.ko\.\w+$/, ".ko");
    return { name, relativePath, path: file, size, ...readModuleInfo(readAt, path) };
  } finally {
    close();
  }
}

/** The stand-in for a file that was not fetched is empty, too. */
function refuseEmpty(path: string): void {
  if (statSync(path).size > 0) return;
  throw userError({
    code: "kernel-module-empty",
    message: `The kernel module ${path} is empty, or modules.dep does not say that it is needed.`,
    hint: "Install the kernel package in the root filesystem again, and run depmod there.",
    where: path,
  });
}

/**
 * depmod's default search order: what an administrator or vendor added comes before the kernel's own. Links to folders are not
 * followed; one to a module counts where there is such a module.
 */
function findModules(modulesFolder: string, root: string | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const top of ["updates", "extra", "weak-updates", "kernel"]) {
    const folder = join(modulesFolder, top);
    if (inRoot(root, folder) !== folder) continue;
    const entries = entriesBelow(folder)
      .filter(({ name }) => /\.ko(\.gz|\.xz|\.zst)?$/.test(name))
      .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const { entry, path } of entries) {
      const name = moduleName(path);
      if (found.has(name)) continue;
      if (entry.isFile() || (entry.isSymbolicLink() && isFile(inRoot(root, path)))) found.set(name, path);
    }
  }
  return found;
}

function entriesBelow(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return [];
    throw error;
  }
}

function readBuiltIn(modulesFolder: string, root: string | undefined): Set<string> {
  const list = inRoot(root, join(modulesFolder, "modules.builtin"));
  if (!isFile(list)) return new Set();
  return new Set(readFileSync(list, "utf8").split("\n").filter(Boolean).map(moduleName));
}
