import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { driversOf } from "../ramdisk/drivers.ts";
import { firmwareNames } from "../ramdisk/firmware.ts";
import { moduleClosure } from "../ramdisk/kernel-modules.ts";
import { moduleName } from "../ramdisk/module-info.ts";
import type { ModuleDecompressor } from "../ramdisk/uncompressed-modules.ts";
import { rawPath, type RawPath } from "../rootfs/raw-path.ts";
import { rootedPath } from "../rootfs/rooted-path.ts";
import type { RootSource } from "./root-source.ts";

/** What the survey reads: settings, kernels with their initramfs, lists of modules. Large files in /etc are no settings. */
export async function fetchForSurvey(source: RootSource): Promise<void> {
  const inside = async (path: string): Promise<RawPath> =>
    rawPath((await rootedPath(source.root, path)).slice(source.root.length + 1));
  const [etc, boot, modules, release] = await Promise.all(
    ["/etc", "/boot", "/lib/modules", "/etc/os-release"].map(inside),
  );
  const small = new Set(
    source.entries.filter(({ sizeBytes }) => sizeBytes <= 1024 * 1024).map(({ path }) => path),
  );
  const below = (path: RawPath, folder: RawPath) => path.startsWith(`${folder}/`);
  await source.fetch(
    (path) =>
      path === release ||
      (below(path, etc!) && small.has(path)) ||
      (below(path, boot!) && /^(?:vmlinuz|initrd|initramfs)[^/]*$/.test(path.slice(boot!.length + 1))) ||
      (below(path, modules!) && /^[^/]+\/modules\.[^/]+$/.test(path.slice(modules!.length + 1))),
  );
}

/** The modules that the ramdisk takes of a kernel in the source, and the firmware they name: two passes over an archive. */
export async function fetchModules(
  source: RootSource,
  modulesFolder: string,
  decompressor: ModuleDecompressor,
): Promise<void> {
  const folder = rawPath(modulesFolder.slice(source.root.length + 1));
  const wanted = await namesWithDependencies(modulesFolder, driversOf("all"));
  await source.fetch(
    (path) => path.startsWith(`${folder}/`) && /\.ko(?:\.\w+)?$/.test(path) && wanted.has(moduleName(path)),
  );
  const { modules } = await moduleClosure(modulesFolder, driversOf("all"), decompressor);
  const firmware = rawPath(join(modulesFolder, "../../firmware").slice(source.root.length + 1));
  const names = new Set(firmwareNames(modules).map((name) => rawPath(name)));
  await source.fetch(
    (path) =>
      path.startsWith(`${firmware}/`) &&
      names.has(path.slice(firmware.length + 1).replace(/\.(?:zst|xz)$/, "")),
  );
}

/** What modules.dep and modules.softdep say: depmod has run, or the root filesystem is refused. */
async function namesWithDependencies(folder: string, wanted: readonly string[]): Promise<Set<string>> {
  const needs = new Map<string, string[]>();
  const add = (name: string, others: readonly string[]) =>
    needs.set(name, [...(needs.get(name) ?? []), ...others]);
  for (const line of (await readFile(join(folder, "modules.dep"), "utf8")).split("\n")) {
    const [path, others = ""] = line.split(":", 2);
    if (path) add(moduleName(path), others.split(/\s+/).filter(Boolean).map(moduleName));
  }
  for (const line of (await readFile(join(folder, "modules.softdep"), "utf8").catch(() => "")).split("\n")) {
    const [word, name, ...others] = line.split(/\s+/);
    if (word === "softdep" && name)
      add(moduleName(name), others.filter((other) => !other.endsWith(":")).map(moduleName));
  }
  const found = new Set<string>();
  const waiting = wanted.map(moduleName);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...(needs.get(name) ?? []));
  }
  return found;
}
