import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
import { sha256Hex } from "../../../format/digest.ts";
import { packageFiles } from "../../../format/manifest.ts";
import { stashSchema, stashSectorBytes, type Stash } from "../../../format/stash.ts";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import { conversionRecording } from "../record/conversion-recording.ts";
import { openRecording, recordingFiles, type Recording } from "../record/recording.ts";
import { scratchFolder } from "../scratch-folder.ts";
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
  const { starts, deciding } = recording.switches;
  const [armed] = deciding;
  if (starts.ramdisk === undefined || armed === undefined) throw new Error("the recording has no switches");
  const line = await commandLine(text, recording, starts.ramdisk);
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

/**
 * The kernel says it twice, for the emulated serial line repeats a character now and then: the one whose digest is that of what
 * lies on the disk.
 */
async function commandLine(text: string, recording: Recording, start: number): Promise<string> {
  const folder = await scratchFolder();
  try {
    const image = await diskBefore(recording, start, folder);
    for (const [, line] of text.matchAll(/ommand line: (dualroot\.mode=convert [^\r\n]*)/g)) {
      const [, sha256] = /\bdualroot\.stash_sha256=(\w+)/.exec(line!) ?? [];
      if (sha256Hex(await stashBytes(image, line!)) === sha256) return line!;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  throw new Error("the recorded console has no whole command line of the ramdisk");
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

async function readStash(image: string, line: string): Promise<Stash> {
  return stashSchema.parse(JSON.parse((await stashBytes(image, line)).toString("utf8")));
}

async function stashBytes(image: string, line: string): Promise<Buffer> {
  const [, sector, count] = /\bdualroot\.stash_at=(\d+)\+(\d+)/.exec(line) ?? [];
  const bytes = Buffer.alloc(Number(count) * stashSectorBytes);
  const file = await open(image, "r");
  try {
    await file.read(bytes, 0, bytes.length, Number(sector) * stashSectorBytes);
  } finally {
    await file.close();
  }
  return bytes;
}
