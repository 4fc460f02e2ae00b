import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError, userError } from "../../format/errors.ts";
import { driversOf } from "../ramdisk/drivers.ts";
import { firmwareNames, firmwarePlaces } from "../ramdisk/firmware.ts";
import { moduleClosure } from "../ramdisk/kernel-modules.ts";
import { moduleName } from "../ramdisk/module-info.ts";
import type { ModuleDecompressor } from "../ramdisk/uncompressed-modules.ts";
import { rawPath, shownPath, type RawPath } from "../rootfs/raw-path.ts";
import { inRoot, rootedPath, rootedPathSync } from "../rootfs/rooted-path.ts";
import type { RootSource } from "./root-source.ts";

/** What the survey reads: settings, kernels with their initramfs, lists of modules. Large files in /etc are no settings. */
export async function fetchForSurvey(source: RootSource): Promise<void> {
  const inside = async (path: string): Promise<RawPath> =>
    pathIn(source, await rootedPath(source.root, path));
  const [etc, boot, modules, release] = (await Promise.all(
    ["/etc", "/boot", "/lib/modules", "/etc/os-release"].map(inside),
  )) as [RawPath, RawPath, RawPath, RawPath];
  const small = new Set(
    source.entries.filter(({ sizeBytes }) => sizeBytes <= 1024 * 1024).map(({ path }) => path),
  );
  const isSetting = (path: RawPath) => path.startsWith(`${etc}/`) && small.has(path);
  const isBoot = (path: RawPath) =>
    parentOf(path) === boot && /^(?:vmlinuz|initrd|initramfs)/.test(nameOf(path));
  const ofKernels = new Set([
    ...source.entries.map(({ path }) => path).filter((path) => parentOf(path) === modules),
    ...linkTargets(source, (path) => parentOf(path) === modules).values(),
  ]);
  const isList = (path: RawPath) => ofKernels.has(parentOf(path)) && /^modules\../.test(nameOf(path));
  const bootTargets = linkTargets(source, isBoot);
  refuseDanglingBoot(source, bootTargets);
  const targets = new Set([
    ...bootTargets.values(),
    ...linkTargets(source, isList).values(),
    ...[...linkTargets(source, isSetting).values()].filter((path) => small.has(path)),
  ]);
  await source.fetch(
    (path) => path === release || isSetting(path) || isBoot(path) || isList(path) || targets.has(path),
  );
}

/** The modules that the ramdisk takes of a kernel in the source, and the firmware they name: two passes over an archive. */
export async function fetchModules(
  source: RootSource,
  modulesFolder: string,
  decompressor: ModuleDecompressor,
): Promise<void> {
  const folder = pathIn(source, modulesFolder);
  const wanted = await namesWithDependencies(source, modulesFolder, driversOf("all"));
  const isModule = (path: RawPath) =>
    path.startsWith(`${folder}/`) && /\.ko(?:\.\w+)?$/.test(path) && wanted.has(moduleName(path));
  const targets = new Set(linkTargets(source, isModule).values());
  await source.fetch((path) => isModule(path) || targets.has(path));
  const { modules } = await moduleClosure(modulesFolder, driversOf("all"), decompressor, source.root);
  const firmware = new Set(
    firmwareNames(modules)
      .flatMap((name) => firmwarePlaces(modulesFolder, name))
      .map((place) => pathIn(source, inRoot(source.root, place))),
  );
  await source.fetch((path) => firmware.has(path));
}

/**
 * Where the wanted links lead to. That has to be fetched too: what would be read through the link is an empty stand-in
 * otherwise. A link without end leads nowhere; whoever needs it is refused when it is followed.
 */
function linkTargets(source: RootSource, wanted: (path: RawPath) => boolean): Map<RawPath, RawPath> {
  const targets = new Map<RawPath, RawPath>();
  for (const { path, type } of source.entries) {
    if (type !== "link" || !wanted(path)) continue;
    try {
      targets.set(path, pathIn(source, rootedPathSync(source.root, shownPath(path))));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return targets;
}

/** Names that a boot loader's entry has; `vmlinuz.old` may well lead to a kernel that is gone. */
const versioned = /^(?:vmlinuz|initrd\.img|initrd|initramfs)-\d/;

function refuseDanglingBoot(source: RootSource, targets: ReadonlyMap<RawPath, RawPath>): void {
  const files = new Set(source.entries.filter(({ type }) => type === "file").map(({ path }) => path));
  for (const [path, target] of targets) {
    if (files.has(target) || !versioned.test(nameOf(path))) continue;
    throw userError({
      code: "rootfs-boot-link-dangling",
      message: `/${shownPath(path)} in the root filesystem leads to /${shownPath(target)}, which is no file there`,
      hint: "Install that kernel's package again, or remove the link.",
    });
  }
}

function pathIn(source: RootSource, place: string): RawPath {
  return rawPath(place.slice(source.root.length + 1));
}

function parentOf(path: RawPath): RawPath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function nameOf(path: RawPath): RawPath {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What modules.dep and modules.softdep say: depmod has run, or the root filesystem is refused. */
async function namesWithDependencies(
  source: RootSource,
  folder: string,
  wanted: readonly string[],
): Promise<Set<string>> {
  const list = async (name: string) => await readFile(inRoot(source.root, join(folder, name)), "utf8");
  const needs = new Map<string, string[]>();
  const add = (name: string, others: readonly string[]) =>
    needs.set(name, [...(needs.get(name) ?? []), ...others]);
  for (const line of (await list("modules.dep")).split("\n")) {
    const [path, others = ""] = line.split(":", 2);
    if (path) add(moduleName(path), others.split(/\s+/).filter(Boolean).map(moduleName));
  }
  for (const line of (await list("modules.softdep").catch(() => "")).split("\n")) {
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
