import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { exists } from "../system/files.ts";

/**
 * Tools stage 1 runs from the package: the old system's are too old (LVM, blkid), of another kind (busybox tar), or missing
 * (kexec). Each gets a wrapper of its own name that runs it with the bundled loader and libraries.
 */
const tools = [
  "blkid",
  "lvm",
  "dmsetup",
  "tar",
  "kexec",
  "fsfreeze",
  "fallocate",
  "filefrag",
  "chattr",
  "blockdev",
  // An upgrade fills a slot as the ramdisk does, whatever the running release brings.
  "xz",
  "mkfs.ext4",
  "mkfs.xfs",
  "getfattr",
  "setfattr",
] as const;

/** Makes the wrappers; returns the PATH under which programs are then found: bundled ones first, the system's after. */
export async function wrapBundledTools(runtimeFolder: string, systemPath = ""): Promise<string> {
  const folder = join(runtimeFolder, "wrappers");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const tool of tools) {
    if (!(await exists(join(runtimeFolder, "usr/sbin", tool)))) continue;
    await writeFile(join(folder, tool), wrapperScript(runtimeFolder, tool), { mode: 0o700 });
  }
  // `su` without `-` leaves the administrators' folders out of PATH.
  return [folder, systemPath, "/usr/sbin", "/usr/bin", "/sbin", "/bin"].filter(Boolean).join(delimiter);
}

function wrapperScript(runtimeFolder: string, tool: string): string {
  const quoted = (path: string): string => `'${join(runtimeFolder, path).replaceAll("'", `'\\''`)}'`;
  return [
    "#!/bin/sh",
    // The bundled LVM must not read the old system's settings, nor ask its udev.
    `LVM_SYSTEM_DIR=${quoted("etc/lvm")}`,
    "export LVM_SYSTEM_DIR",
    `exec ${quoted("usr/lib64/ld-linux-x86-64.so.2")} --library-path ${quoted("usr/lib")} --argv0 ${tool} ${quoted(`usr/sbin/${tool}`)} "$@"`,
    "",
  ].join("\n");
}
