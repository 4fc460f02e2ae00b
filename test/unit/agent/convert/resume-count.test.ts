import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  changeRecord,
  countStart,
  readRecord,
  recordPlaceOf,
} from "../../../../agent/convert/resume-count.ts";
import { MiB } from "../../../../format/sizes.ts";
import type { Stash } from "../../../../format/stash.ts";
import { recordingRun } from "../recording-run.ts";

const folder = await mkdtemp(join(tmpdir(), "dualroot-record-"));
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());
const place = { disk: join(folder, "disk"), startBytes: MiB };
beforeEach(async () => {
  const file = await open(place.disk, "w");
  await file.write(Buffer.alloc(2 * MiB, 0xa5), 0, 2 * MiB, 0);
  await file.close();
});
const { run } = recordingRun();

test("starts and failures are counted on the disk, from nothing where there is no record", async () => {
  expect(await readRecord(place)).toEqual({ starts: 0, failures: 0 });
  expect(await countStart({ run }, place)).toEqual({ starts: 1, failures: 0 });
  await changeRecord(place, (before) => ({
    ...before,
    failures: before.failures + 1,
    lastFailure: "no LVM",
  }));
  expect(await countStart({ run }, place)).toEqual({ starts: 2, failures: 1, lastFailure: "no LVM" });
  expect(await readRecord(place)).toEqual({ starts: 2, failures: 1, lastFailure: "no LVM" });
});

test("one sector is written, whatever lies around it", async () => {
  await countStart({ run }, place);
  const bytes = await readFile(place.disk);
  expect(bytes.subarray(0, MiB).every((byte) => byte === 0xa5)).toBe(true);
  expect(bytes.subarray(MiB + 512).every((byte) => byte === 0xa5)).toBe(true);
});

test("a person in the rescue system begins from zero", async () => {
  await changeRecord(place, () => ({ starts: 9, failures: 3, lastFailure: "no LVM" }));
  vi.stubEnv("DUALROOT_AGAIN", "1");
  expect(await countStart({ run }, place)).toEqual({ starts: 1, failures: 0 });
});

test("it lies at the front of the loader's range, and nowhere in ram mode", () => {
  const loader = { startBytes: 5 * MiB, sizeBytes: MiB };
  const stash = { space: { loader } } as Stash;
  const onDisk = { disk: "/dev/vda", range: { startBytes: 0, sizeBytes: 512 }, sha256: "" };
  expect(recordPlaceOf({ stash, place: onDisk })).toEqual({ disk: "/dev/vda", startBytes: 5 * MiB });
  expect(recordPlaceOf({ stash: {} as Stash })).toBeUndefined();
});
