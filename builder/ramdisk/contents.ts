import { realpathSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Run } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import type { TrustedKeys } from "../../format/signature.ts";
import type { CpioEntry } from "./cpio.ts";
import { requiredDrivers } from "./drivers.ts";
import { firmwareFiles } from "./firmware.ts";
import { folderEntries, withFolders } from "./folder-entries.ts";
import type { ModuleClosure } from "./kernel-modules.ts";
import { libraryClosure } from "./libraries.ts";
import { moduleIndexes } from "./module-index.ts";
import { findTools, toolPackages, type ToolPackage } from "./tools.ts";

const skeletonFolder = fileURLToPath(new URL("skeleton/", import.meta.url));
const initScript = fileURLToPath(new URL("../../agent/ramdisk/init.sh", import.meta.url));
/** The one crash-safe writer of grubenv, for the rescue system's commands. */
const grubEditenv = fileURLToPath(
  new URL("../../rootfs-overlay/usr/lib/dualroot/grub-editenv", import.meta.url),
);

/** Folders that are mount points, or that programs expect. */
const emptyFolders = ["dev", "proc", "sys", "run", "root", "mnt", "tmp", "var/lib"];
const links = {
  bin: "usr/bin",
  sbin: "usr/sbin",
  lib: "usr/lib",
  lib64: "usr/lib64",
  "var/run": "../run",
  "var/lock": "../run/lock",
};

export function nodeEntries(node: string): CpioEntry[] {
  return withFolders([hostFile("usr/bin/node", node, 0o755)]);
}

/** Tools, their libraries and the dynamic linker; and the libraries of `otherPrograms`, which lie in other segments. */
export async function toolEntries(
  otherPrograms: readonly string[],
  run: Run,
  packages: readonly ToolPackage[] = toolPackages,
): Promise<CpioEntry[]> {
  const found = findTools(undefined, packages);
  const { libraries, interpreter } = libraryClosure([
    ...otherPrograms,
    found.busybox,
    ...found.tools.map((tool) => tool.path),
  ]);
  const { stdout } = await run(found.busybox, ["--list"]);
  const real = new Set([...found.tools, ...found.links].map((tool) => tool.name));
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox" && !real.has(name));
  return withFolders([
    ...found.tools.map((tool) => hostFile(`usr/sbin/${tool.name}`, tool.path, 0o755)),
    ...found.links.map((link): CpioEntry => ({
      type: "symlink",
      path: `usr/sbin/${link.name}`,
      target: link.target,
    })),
    hostFile("usr/bin/busybox", found.busybox, 0o755),
    ...applets.map((name): CpioEntry => ({ type: "symlink", path: `usr/bin/${name}`, target: "busybox" })),
    // The kernel calls /sbin/modprobe when a filesystem or a checksum is asked for that is not loaded yet.
    { type: "symlink", path: "usr/sbin/modprobe", target: "../bin/busybox" },
    ...libraries.map((library) => hostFile(`usr/lib/${library.name}`, library.path, 0o644)),
    hostFile("usr/lib64/ld-linux-x86-64.so.2", interpreter, 0o755),
    ...Object.entries(links).map(([path, target]): CpioEntry => ({ type: "symlink", path, target })),
    ...emptyFolders.map((path): CpioEntry => ({
      type: "directory",
      path,
      mode: path === "tmp" ? 0o1777 : 0o755,
    })),
  ]);
}

export function agentEntries(agent: Uint8Array, keys: TrustedKeys, bootFiles: string): CpioEntry[] {
  return withFolders([
    ...folderEntries(skeletonFolder, ""),
    hostFile("init", initScript, 0o755),
    hostFile("usr/lib/dualroot/grub-editenv", grubEditenv, 0o755),
    { type: "file", path: "usr/lib/dualroot/agent.mjs", mode: 0o644, source: { bytes: agent } },
    {
      type: "file",
      path: "usr/lib/dualroot/keys.json",
      mode: 0o644,
      source: { bytes: Buffer.from(`${JSON.stringify(keys)}\n`) },
    },
    ...folderEntries(bootFiles, "usr/lib/dualroot/grub"),
  ]);
}

export function kernelEntries(
  kernel: { modulesFolder: string; version: string; root?: string },
  closure: ModuleClosure,
  required: readonly string[] = requiredDrivers,
): { entries: CpioEntry[]; missingFirmware: string[] } {
  const present = new Set([...closure.builtIn, ...closure.modules.map((module) => module.name)]);
  const absent = required.filter((name) => !present.has(name));
  if (absent.length > 0) {
    throw userError({
      code: "ramdisk-drivers-missing",
      message: `Kernel ${kernel.version} has no ${absent.join(", ")}, without which no gateway can be converted.`,
      hint: "Take a generic distribution kernel for the ramdisk (Debian: linux-image-amd64).",
      where: kernel.modulesFolder,
    });
  }
  const top = `usr/lib/modules/${kernel.version}`;
  const firmware = firmwareFiles(kernel.modulesFolder, closure.modules, kernel.root);
  const builtIn = [...closure.builtIn].toSorted().map((name) => `kernel/${name}.ko\n`);
  const indexes = { ...moduleIndexes(closure.modules), "modules.builtin": builtIn.join("") };
  const entries = withFolders([
    ...closure.modules.map((module): CpioEntry =>
      hostFile(`${top}/${module.relativePath}`, module.path, 0o644),
    ),
    ...Object.entries(indexes).map(([name, text]): CpioEntry => ({
      type: "file",
      path: `${top}/${name}`,
      mode: 0o644,
      source: { bytes: Buffer.from(text) },
    })),
    ...firmware.entries,
    // The kernel opens it for PID 1 before devtmpfs is mounted.
    { type: "character-device", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
  ]);
  return { entries, missingFirmware: firmware.missing };
}

export function hostFile(path: string, from: string, mode: number): CpioEntry {
  const real = realpathSync(from);
  return { type: "file", path, mode, source: { path: real, size: statSync(real).size } };
}
