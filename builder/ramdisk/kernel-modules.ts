import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { userError } from "../../format/errors.ts";
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
 * modules.dep yet, and an installed one says nothing more in it.
 */
export async function moduleClosure(
  modulesFolder: string,
  wanted: readonly string[],
  decompressor: ModuleDecompressor,
): Promise<ModuleClosure> {
  const paths = findModules(modulesFolder);
  const builtIn = readBuiltIn(modulesFolder);
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
    const files = await uncompressedModules(
      present.map((name) => paths.get(name)!),
      decompressor,
    );
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

/** depmod's default search order: what an administrator or vendor added comes before the kernel's own. */
function findModules(modulesFolder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const top of ["updates", "extra", "weak-updates", "kernel"]) {
    const folder = join(modulesFolder, top);
    if (!existsSync(folder)) continue;
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.ko(\.gz|\.xz|\.zst)?$/.test(name),
    );
    for (const name of names.sort()) {
      if (!found.has(moduleName(name))) found.set(moduleName(name), join(folder, name));
    }
  }
  return found;
}

function readBuiltIn(modulesFolder: string): Set<string> {
  const list = join(modulesFolder, "modules.builtin");
  if (!existsSync(list)) return new Set();
  return new Set(readFileSync(list, "utf8").split("\n").filter(Boolean).map(moduleName));
}
