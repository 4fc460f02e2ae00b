import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Run } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { hostFile, kernelEntries, toolEntries } from "../ramdisk/contents.ts";
import type { CpioEntry } from "../ramdisk/cpio.ts";
import { folderEntries, withFolders } from "../ramdisk/folder-entries.ts";
import { moduleClosure, type ModuleClosure } from "../ramdisk/kernel-modules.ts";
import type { Segment } from "../ramdisk/segment.ts";
import { hostFolders, type ToolPackage } from "../ramdisk/tools.ts";
import {
  helperDrivers,
  helperPreloadedDrivers,
  helperRequiredDrivers,
  helperToolPackages,
} from "./contents.ts";
import type { HelperKernel } from "./helper-kernel.ts";
import { reseedProgram } from "./reseed-program.ts";

const initScript = fileURLToPath(new URL("init.sh", import.meta.url));
/** LVM without udev, and mke2fs without the build host's own settings: as in the gateway's ramdisk. */
const settingsFolder = fileURLToPath(new URL("../ramdisk/skeleton/etc", import.meta.url));

export interface HelperSegments {
  segments: Segment[];
  /** Paths of the build host that decide the content: files, and the folders they were found in. */
  inputs: string[];
}

/** Everything the helper's ramdisk holds: no Node, no agent. */
export async function helperEntries(
  kernel: HelperKernel,
  extraTools: readonly string[],
  { run, cacheFolder, report }: { run: Run; cacheFolder: string; report: Reporter },
): Promise<HelperSegments> {
  const closure = await moduleClosure(kernel.modulesFolder, helperDrivers, { run, cacheFolder });
  refuseUnfitKernel(kernel, closure);
  if (closure.missing.length > 0)
    report({ kind: "detail", message: `The helper's kernel has no ${closure.missing.join(", ")}` });
  const tools = await toolEntries([], run, [...presentPackages(report), ...extraPackages(extraTools)]);
  const entries = [
    tools,
    kernelEntries(kernel, closure, []).entries,
    withFolders([
      hostFile("init", initScript, 0o755),
      ...folderEntries(settingsFolder, "etc"),
      { type: "file", path: "usr/lib/dualroot/reseed", mode: 0o755, source: { bytes: reseedProgram() } },
      {
        type: "file",
        path: "usr/lib/dualroot/preload",
        mode: 0o644,
        source: { bytes: Buffer.from(`${helperPreloadedDrivers.join(" ")}\n`) },
      },
    ] satisfies CpioEntry[]),
  ];
  const names = ["tools", "kernel", "agent"] as const;
  const inputs = entries
    .flat()
    .flatMap((entry) => (entry.type === "file" && "path" in entry.source ? [entry.source.path] : []));
  const moduleFolders = closure.modules.map((module) =>
    dirname(join(kernel.modulesFolder, module.relativePath)),
  );
  return {
    segments: entries.map((list, index) => ({ name: names[index]!, entries: list, modifiedAt: 0 })),
    inputs: [...inputs, ...moduleFolders, ...new Set(inputs.map((path) => dirname(path)))],
  };
}

function refuseUnfitKernel(kernel: HelperKernel, closure: ModuleClosure): void {
  const present = new Set([...closure.builtIn, ...closure.modules.map((module) => module.name)]);
  const absent = helperRequiredDrivers.filter((name) => !present.has(name));
  if (absent.length === 0) return;
  throw userError({
    code: "helper-kernel-unfit",
    message: `Kernel ${kernel.version} has no ${absent.join(", ")}, without which the helper cannot work.`,
    hint: "Take a distribution's kernel for virtual machines (Debian: linux-image-amd64 or linux-image-cloud-amd64).",
    where: kernel.modulesFolder,
  });
}

function presentPackages(report: Reporter): ToolPackage[] {
  return helperToolPackages.filter(({ isOptional, tools, package: name }) => {
    const isThere =
      !isOptional || tools.every((tool) => hostFolders.some((folder) => existsSync(join(folder, tool))));
    if (!isThere)
      report({
        kind: "detail",
        message: `Not in the helper, since ${name} is not installed: ${tools.join(", ")}`,
      });
    return isThere;
  });
}

/** Programs of the build host by name, but those that are there anyway. */
function extraPackages(programs: readonly string[]): ToolPackage[] {
  const wrong = programs.find((name) => !/^[\w.+-]+$/.test(name));
  if (wrong !== undefined) {
    throw userError(
      {
        code: "helper-tool-wrong",
        message: `--tool ${wrong} is not the name of a program.`,
        hint: "Give a name such as rsync: it is looked for in /usr/sbin and /usr/bin.",
      },
      "usage",
    );
  }
  const present = new Set(
    helperToolPackages.flatMap(({ tools, links }) => [...tools, ...Object.keys(links ?? {})]),
  );
  const absent = [...new Set(programs)].filter((name) => !present.has(name) && name !== "busybox");
  return absent.map((name) => ({ package: `the package that has ${name}`, tools: [name] }));
}
