import { createHash } from "node:crypto";
import { basename } from "node:path";
import { rm } from "node:fs/promises";
import { cachedFolder } from "../../fixtures/cache.ts";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import type { Point } from "../points/points.ts";
import { scratchFolder } from "../scratch-folder.ts";
import { makeRecording } from "./make-recording.ts";
import { openRecording } from "./recording.ts";

/** Folder with the recording of a conversion that was cut in the middle of the rewriting, and carries on by itself. */
export async function resumeRecording(conversion: string): Promise<string> {
  const recording = await openRecording(conversion);
  const { starts } = recording.switches;
  if (starts.rewriting === undefined || starts["first boot"] === undefined)
    throw new Error("the recording has no switches to cut between");
  const middle = Math.floor((starts.rewriting + starts["first boot"]) / 2);
  const epoch = recording.epochs.findIndex(({ end }) => end > middle);
  const key = createHash("sha256")
    .update(`${basename(conversion)} ${epoch}`)
    .digest("hex");
  return cachedFolder({ name: "power-resume", inputs: [key] }, async (folder) => {
    const scratch = await scratchFolder();
    const disks = new DiskAtPoint(recording, scratch);
    const cut: Point = {
      name: "cut",
      kind: "boundary",
      epoch,
      kept: recording.epochs[epoch]!.writes,
      phase: "rewriting",
      at: middle,
    };
    try {
      const disk = await disks.build(cut);
      const title = `${recording.title}, resumed`;
      await makeRecording({ title, disk, reference: recording.reference }, folder);
    } finally {
      await disks.close();
      await rm(scratch, { recursive: true, force: true });
    }
  });
}
