import { existsSync, realpathSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import type { CpioEntry } from "./cpio.ts";
import type { KernelModule } from "./kernel-modules.ts";

/**
 * Firmware the modules name, as far as the kernel's own tree has it (`lib/firmware` beside `lib/modules`), compressed or not:
 * the kernel looks for NAME, NAME.zst and NAME.xz itself.
 */
export function firmwareFiles(
  modulesFolder: string,
  modules: readonly KernelModule[],
): { entries: CpioEntry[]; missing: string[] } {
  const folder = join(modulesFolder, "../../firmware");
  const entries: CpioEntry[] = [];
  const missing: string[] = [];
  for (const name of firmwareNames(modules)) {
    const suffix = ["", ".zst", ".xz"].find((end) => existsSync(join(folder, name + end)));
    if (suffix === undefined) {
      missing.push(name);
      continue;
    }
    const path = realpathSync(join(folder, name + suffix));
    entries.push({
      type: "file",
      path: `usr/lib/firmware/${name}${suffix}`,
      mode: 0o644,
      source: { path, size: statSync(path).size },
    });
  }
  return { entries, missing };
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
