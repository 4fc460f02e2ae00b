import { realpathSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import { inRoot, isFile } from "../rootfs/rooted-path.ts";
import type { CpioEntry } from "./cpio.ts";
import type { KernelModule } from "./kernel-modules.ts";

/**
 * Firmware the modules name, as far as the kernel's own tree has it (`lib/firmware` beside `lib/modules`), compressed or not:
 * the kernel looks for NAME, NAME.zst and NAME.xz itself. `root`: links mean places in this root filesystem.
 */
export function firmwareFiles(
  modulesFolder: string,
  modules: readonly KernelModule[],
  root?: string,
): { entries: CpioEntry[]; missing: string[] } {
  const entries: CpioEntry[] = [];
  const missing: string[] = [];
  for (const name of firmwareNames(modules)) {
    const places = firmwarePlaces(modulesFolder, name);
    const place = places.find((one) => isFile(inRoot(root, one)));
    if (place === undefined) {
      missing.push(name);
      continue;
    }
    const suffix = firmwareSuffixes[places.indexOf(place)]!;
    const path = realpathSync(inRoot(root, place));
    entries.push({
      type: "file",
      path: `usr/lib/firmware/${name}${suffix}`,
      mode: 0o644,
      source: { path, size: statSync(path).size },
    });
  }
  return { entries, missing };
}

const firmwareSuffixes = ["", ".zst", ".xz"];

/** Where a firmware may lie, in the order of preference; links are not followed yet. */
export function firmwarePlaces(modulesFolder: string, name: string): string[] {
  return firmwareSuffixes.map((suffix) => join(modulesFolder, "../../firmware", name + suffix));
}

/** Sorted. Some modules list patterns (`ice/ddp/*.pkg`): documentation, not files. */
export function firmwareNames(modules: readonly KernelModule[]): string[] {
  return [...new Set(modules.flatMap((module) => module.firmware))]
    .filter(
      (name) =>
        normalize(name) === name && !name.startsWith("..") && !name.startsWith("/") && !name.includes("*"),
    )
    .toSorted();
}
