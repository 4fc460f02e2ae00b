import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { VirtualMachine } from "../../../builder/vm/description.ts";
import { packageFiles } from "../../../format/manifest.ts";
import { DiskAtPoint } from "../points/disk-at-point.ts";
import { conversionRecording, powerPackage } from "../record/conversion-recording.ts";
import { openRecording, recordingFiles, type Recording } from "../record/recording.ts";
import { runWithFaults, type FaultRun } from "./run-with-faults.ts";
import type { Fault } from "./faulty-disk.ts";

const large = 256 * 1024;
const sectorZero = { startBytes: 0, sizeBytes: 512 };
let recording: Recording;
/** As kexec started the ramdisk in the recorded conversion. */
let kexec: NonNullable<VirtualMachine["boot"]>;
let folder: string;

beforeAll(async () => {
  const recorded = await conversionRecording({ stack: "ext4" });
  recording = await openRecording(recorded);
  const text = await readFile(join(recorded, recordingFiles.console), "utf8");
  const append = /Command line: (dualroot\.mode=convert [^\r\n]*)/.exec(text)?.[1];
  if (append === undefined) throw new Error("the recorded console has no command line of the ramdisk");
  const files = await powerPackage();
  kexec = { kernel: join(files, packageFiles.kernel), initrd: join(files, packageFiles.ramdisk), append };
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-faults-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The disk with everything before this entry of the log. */
async function diskBefore(entry: number): Promise<string> {
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

/** A conversion that stage 1 has just handed over. */
async function handedOver(from: RegExp, fault: Fault): Promise<FaultRun> {
  const image = await diskBefore(recording.switches.starts.ramdisk!);
  return runWithFaults({
    image,
    folder,
    reference: recording.reference,
    boot: kexec,
    faults: [{ from, fault }],
  });
}

/** A conversion that was cut right behind the arming. */
async function armed(from: RegExp, fault: Fault): Promise<FaultRun> {
  const image = await diskBefore(recording.switches.sectorZero[0]! + 1);
  return runWithFaults({ image, folder, reference: recording.reference, faults: [{ from, fault }] });
}

test("a package that cannot be read, or reads differently, before the switch: the old system, equal to before", async () => {
  for (const kind of ["fail", "flip"] as const) {
    const run = await handedOver(/Verify the package/, {
      kind,
      of: "read",
      leastBytes: large,
      times: 100,
      sticks: true,
    });
    expect(run.done.length).toBeGreaterThan(0);
    expect(run.console).toMatch(/The disk was not converted\. The old system starts again/);
    expect(run).toMatchObject({ outcome: "old" });
  }
});

test("a disk that fails to write the loader's place, or drops the switch itself: the old system, equal to before", async () => {
  const failing = await handedOver(/Arm the resume loader/, { kind: "fail", of: "write", times: 1 });
  expect(failing.done).toHaveLength(1);
  expect(failing).toMatchObject({ outcome: "old" });
  const dropping = await handedOver(/Arm the resume loader/, {
    kind: "drop",
    of: "write",
    range: sectorZero,
    times: 1,
  });
  expect(dropping.done).toHaveLength(1);
  expect(dropping).toMatchObject({ outcome: "old" });
});

test("a dropped write of the new system is found by reading back, and done again", async () => {
  const run = await armed(/Unpack the new system/, {
    kind: "drop",
    of: "write",
    leastBytes: large,
    times: 1,
  });
  expect(run.done).toHaveLength(1);
  expect(run.console).toMatch(/Read everything back +FAILED/);
  expect(run).toMatchObject({ outcome: "converted" });
});

test("a spot that never keeps what is written ends in the rescue system, which says why", async () => {
  const run = await armed(/Unpack the new system/, {
    kind: "flip",
    of: "write",
    leastBytes: large,
    times: Number.MAX_SAFE_INTEGER,
    sticks: true,
  });
  expect(run.done.length).toBeGreaterThanOrEqual(3);
  expect(run).toMatchObject({ outcome: "rescue" });
  expect(run.console.slice(run.console.indexOf("dualroot: rescue system"))).toMatch(
    /read back|differ|not what/i,
  );
});

test("a last switch that the disk drops is found by reading back, and done again", async () => {
  const run = await armed(/Unmount the new system/, {
    kind: "drop",
    of: "write",
    range: sectorZero,
    times: 1,
  });
  expect(run.done).toHaveLength(1);
  expect(run.console).toMatch(/Make the disk boot the new system +FAILED/);
  expect(run).toMatchObject({ outcome: "converted" });
});

test("one flush that fails while the disk is rewritten is counted, and everything done again", async () => {
  const run = await armed(/Create the volume group/, { kind: "fail", of: "flush", times: 1 });
  expect(run.done).toHaveLength(1);
  expect(run).toMatchObject({ outcome: "converted" });
});
