import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Run, RunOptions } from "./run.ts";

const path = "/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Runs a program of another root, which sees the kernel's file systems meanwhile; takes them away again whatever happens. Temporary
 * files lie on the disk, not in memory.
 */
export async function inChroot(
  run: Run,
  root: string,
  command: readonly string[],
  options: RunOptions = {},
): Promise<void> {
  const mounted: string[] = [];
  try {
    for (const folder of ["proc", "sys", "dev"]) {
      const place = join(root, folder);
      await mkdir(place, { recursive: true });
      await run("mount", ["--bind", `/${folder}`, place]);
      mounted.unshift(place);
    }
    await mkdir(join(root, "var/tmp"), { recursive: true });
    await run("chroot", [root, "/usr/bin/env", `PATH=${path}`, "TMPDIR=/var/tmp", ...command], options);
  } finally {
    // Busy (a process the tool left behind) must neither hide what went wrong nor keep the root mounted.
    for (const place of mounted) await run("umount", ["-l", place], { acceptExitCodes: [1, 32] });
  }
}
