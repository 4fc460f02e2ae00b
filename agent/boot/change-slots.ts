import { dirname } from "node:path";
import { StepError } from "../../format/errors.ts";
import { decodeGrubenv, encodeGrubenv, type GrubVariables } from "../../format/grubenv.ts";
import { readBounded } from "../system/files.ts";
import { withFileLock } from "../system/file-lock.ts";
import type { Run } from "../system/run.ts";
import { writeGrubenv } from "./write-grubenv.ts";

export interface SlotChange {
  path: string;
  /** What is set; every other variable stays. */
  set: GrubVariables;
  /** What a damaged or missing file is taken for. */
  fallback: GrubVariables;
}

const readAtMostBytes = 64 * 1024;

/**
 * One write of grubenv, read back from the medium. Says whether the file had to be made anew first: then nothing of what it said
 * is known, and `fallback` is what it starts from.
 */
export async function changeSlots(
  { path, set, fallback }: SlotChange,
  run: Run,
): Promise<{ repaired: boolean }> {
  // The folder, as our grub-editenv and repair-grubenv lock it: a repair gives the file a new name.
  return withFileLock(dirname(path), run, async () => {
    const before = await readBounded(path, readAtMostBytes).catch(() => undefined);
    const known = before && decodeGrubenv(before);
    const block = encodeGrubenv(new Map([...(known ?? fallback), ...set]));
    await writeGrubenv(path, block);
    await readBack(path, block, run);
    return { repaired: known === undefined };
  });
}

/** Past the kernel's cache where the filesystem can do that. */
async function readBack(path: string, block: Uint8Array, run: Run): Promise<void> {
  const wanted = Buffer.from(block).toString("utf8");
  // A whole page: what the block size of any disk divides.
  const direct = await run("dd", [`if=${path}`, "iflag=direct", "bs=4096", "count=1", "status=none"], {
    acceptExitCodes: [1],
  });
  const found =
    direct.exitCode === 0 ? direct.stdout : (await readBounded(path, readAtMostBytes))?.toString("utf8");
  if (found !== wanted)
    throw new StepError(`${path} reads back different from what was written`, {
      hint: "The disk is failing or write-protected.",
    });
}
