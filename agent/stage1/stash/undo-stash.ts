import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, syncPath } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";
import type { Places } from "../places.ts";
import { contentName } from "./content-file.ts";

/** Removes the stash, whole or half made, and says whether there was one. Safe to repeat. */
export async function undoStash(places: Places, run: Run): Promise<boolean> {
  if (!(await exists(places.stash))) return false;
  const content = join(places.stash, contentName);
  // 1: the filesystem knows no such flag; then nothing is in the way of removing it.
  if (await exists(content)) await run("chattr", ["-i", content], { acceptExitCodes: [1] });
  await rm(places.stash, { recursive: true });
  await syncPath(places.base);
  return true;
}
