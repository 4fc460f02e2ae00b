import { readFile } from "node:fs/promises";
import { parseMounts } from "../facts/parse-proc.ts";
import type { MountFacts } from "../facts/facts.ts";
import type { Run } from "./run.ts";

/** The kernel's mount table now. */
export async function readMountTable(): Promise<MountFacts[]> {
  return parseMounts(await readFile("/proc/self/mountinfo", "utf8"));
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
