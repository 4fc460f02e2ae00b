import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Run } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { hostFile, kernelEntries, toolEntries } from "../ramdisk/contents.ts";
import { cpioArchive, type CpioEntry } from "../ramdisk/cpio.ts";
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
const mountTable = fileURLToPath(new URL("fstab", import.meta.url));
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
      hostFile("usr/lib/dualroot/fstab", mountTable, 0o644),
      textFile("usr/lib/dualroot/dev.cpio", await deviceFolder()),
      textFile("usr/lib/dualroot/required", `${helperRequiredDrivers.join(" ")}\n`),
      textFile("usr/lib/dualroot/preload", `${helperPreloadedDrivers.join(" ")}\n`),
      { type: "symlink", path: "etc/mtab", target: "/proc/self/mounts" },
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

/** What /dev has beside what the kernel puts there. Opening one of the nodes loads the driver behind it. */
async function deviceFolder(): Promise<Buffer> {
  const node = (path: string, minor: number): CpioEntry => ({
    type: "character-device",
    path,
    mode: 0o600,
    major: 10,
    minor,
  });
  const entries: CpioEntry[] = [
    { type: "symlink", path: "fd", target: "/proc/self/fd" },
    { type: "symlink", path: "stdin", target: "/proc/self/fd/0" },
    { type: "symlink", path: "stdout", target: "/proc/self/fd/1" },
    { type: "symlink", path: "stderr", target: "/proc/self/fd/2" },
    { type: "directory", path: "mapper", mode: 0o755 },
    node("mapper/control", 236),
    node("loop-control", 237),
    node("btrfs-control", 234),
  ];
  const chunks: Uint8Array[] = [];
  for await (const chunk of cpioArchive(entries, 0)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function textFile(path: string, content: string | Buffer): CpioEntry {
  return { type: "file", path, mode: 0o644, source: { bytes: Buffer.from(content) } };
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
