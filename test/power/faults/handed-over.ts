import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
import { packageFiles } from "../../../format/manifest.ts";
import { stashSchema, stashSectorBytes, type Stash } from "../../../format/stash.ts";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import { conversionRecording } from "../record/conversion-recording.ts";
import { openRecording, recordingFiles, type Recording } from "../record/recording.ts";
import { powerPackage } from "../systems/cached-package.ts";

/** Where the recorded conversion can be taken up again, with another disk or other words. */
export interface HandedOver {
  recording: Recording;
  /** The ramdisk as kexec started it, with more words for it. */
  kexec: (...words: readonly string[]) => NonNullable<VirtualMachine["boot"]>;
  /** A new image of the disk as it was when the ramdisk was started. */
  diskAtStart: (folder: string) => Promise<string>;
  /** A new image of the disk as it was when the resume loader had just been armed. */
  diskArmed: (folder: string) => Promise<string>;
  /** What stage 1 has put on the disk, from an image. */
  readStash: (image: string) => Promise<Stash>;
}

export async function handedOver(): Promise<HandedOver> {
  const recorded = await conversionRecording({ stack: "ext4" });
  const recording = await openRecording(recorded);
  const packageFolder = await powerPackage();
  const text = await readFile(join(recorded, recordingFiles.console), "utf8");
  const line = /Command line: (dualroot\.mode=convert [^\r\n]*)/.exec(text)?.[1];
  if (line === undefined) throw new Error("the recorded console has no command line of the ramdisk");
  const { starts, deciding } = recording.switches;
  const [armed] = deciding;
  if (starts.ramdisk === undefined || armed === undefined) throw new Error("the recording has no switches");
  const before = (entry: number) => (folder: string) => diskBefore(recording, entry, folder);
  return {
    recording,
    kexec: (...words) => ({
      kernel: join(packageFolder, packageFiles.kernel),
      initrd: join(packageFolder, packageFiles.ramdisk),
      append: [line, ...words].join(" "),
    }),
    readStash: (image) => readStash(image, line),
    diskAtStart: before(starts.ramdisk),
    diskArmed: before(armed + 1),
  };
}

/** With everything before this entry of the log. */
async function diskBefore(recording: Recording, entry: number, folder: string): Promise<string> {
  const disks = new DiskAtPoint(recording, folder);
  const epoch = recording.epochs.findIndex(({ end }) => end >= entry);
  const kept = recording.epochs[epoch]!.writes.filter((write) => write < entry);
  const image = await disks.build({
    name: "start",
    kind: "boundary",
    epoch,
    kept,
    phase: "ramdisk",
    at: entry,
  });
  await disks.close();
  return image;
}

async function readStash(image: string, commandLine: string): Promise<Stash> {
  const [, sector, count] = /\bdualroot\.stash_at=(\d+)\+(\d+)/.exec(commandLine) ?? [];
  const bytes = Buffer.alloc(Number(count) * stashSectorBytes);
  const file = await open(image, "r");
  await file.read(bytes, 0, bytes.length, Number(sector) * stashSectorBytes);
  await file.close();
  return stashSchema.parse(JSON.parse(bytes.toString("utf8")));
}
