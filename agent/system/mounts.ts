import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parseMounts } from "../facts/parse-proc.ts";
import type { MountFacts } from "../facts/facts.ts";
import type { Run } from "./run.ts";

/** The kernel's mount table now. */
export async function readMountTable(): Promise<MountFacts[]> {
  return parseMounts(await readFile("/proc/self/mountinfo", "utf8"));
}

/** Does another filesystem begin here? A bind mount of the same one is not noticed. */
export async function isMountPoint(folder: string): Promise<boolean> {
  return (await stat(folder)).dev !== (await stat(dirname(folder))).dev;
}

/** Unmounts a folder and everything below it, deepest first, and makes sure of it. */
export async function unmountBelow(run: Run, folder: string): Promise<void> {
  const below = (mount: MountFacts): boolean =>
    mount.target === folder || mount.target.startsWith(`${folder}/`);
  for (const mount of (await readMountTable()).filter(below).toReversed())
    await run("umount", [mount.target]);
  const left = (await readMountTable()).filter(below);
  if (left.length > 0) throw new Error(`still mounted: ${left.map((mount) => mount.target).join(", ")}`);
}
