import { lstat, readdir } from "node:fs/promises";
import { sha256File } from "../system/files.ts";
import type { SlotContext } from "./step-context.ts";

/**
 * Notes what a step has just written, while memory still has it, so that verify-target can tell whether the medium has it too. Folders
 * count with all that is in them; links and what is not there are passed over. Absolute paths.
 */
export async function recordWritten(
  { written }: Pick<SlotContext, "written">,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) await record(written, Buffer.from(path));
}

async function record(written: Map<string, string>, path: Buffer): Promise<void> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isFile() === true) written.set(path.toString("latin1"), await sha256File(path));
  if (facts?.isDirectory() !== true) return;
  for (const name of await readdir(path, { encoding: "buffer" }))
    await record(written, Buffer.concat([path, Buffer.from("/"), name]));
}
