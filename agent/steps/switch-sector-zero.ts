import type { FileHandle } from "node:fs/promises";
import type { StepContext } from "./step-context.ts";
import { readExactly, sectorBytes, writeChecked } from "./write-sectors.ts";

export interface Switch {
  /** Device path, for messages and to drop its cache. */
  path: string;
  bytes: Buffer;
  /** Of the ramdisk that the disk boots from then on. */
  commandLine: string;
}

/** The one write that makes the disk boot the ramdisk. If it fails and the disk still shows the old sector, nothing has happened. */
export async function switchSectorZero(
  disk: FileHandle,
  { path, bytes, commandLine }: Switch,
  context: Pick<StepContext, "run" | "without" | "noReturn">,
): Promise<void> {
  const { noReturn } = context;
  const before = await readExactly(disk, sectorBytes, 0);
  noReturn.diskChanged();
  noReturn.armed(commandLine);
  try {
    await writeChecked(disk, { bytes, position: 0, what: `sector 0 of ${path}`, path }, context);
  } catch (error) {
    const now = await readExactly(disk, sectorBytes, 0).catch(() => undefined);
    if (now?.equals(before) && !before.equals(bytes)) noReturn.notArmed();
    throw error;
  }
}
