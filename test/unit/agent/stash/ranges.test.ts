import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stashRanges } from "../../../../agent/stash/stash-ranges.ts";
import { copyStored, hashStored, readStored, type StoredFile } from "../../../../agent/stash/stored-file.ts";
import { RangesFullError, writeRanges } from "../../../../agent/stash/write-ranges.ts";
import { sha256Hex } from "../../../../format/digest.ts";
import { MiB } from "../../../../format/sizes.ts";

const folder = await mkdtemp(join(tmpdir(), "dualroot-ranges-"));
afterAll(() => rm(folder, { recursive: true }));
const disk = join(folder, "disk");
const source = randomBytes(6 * MiB);
const sector = 512;

async function* inChunks(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += length) yield bytes.subarray(offset, offset + length);
}

async function freshDisk(): Promise<void> {
  const file = await open(disk, "w");
  await file.truncate(16 * MiB);
  await file.close();
}

/** Ranges apart from each other, in any order. */
const places = fc
  .array(fc.record({ gap: fc.nat(40), sectors: fc.integer({ min: 1, max: 3000 }) }), {
    minLength: 1,
    maxLength: 8,
  })
  .chain((pieces) => {
    let next = 1;
    const ranges = pieces.map(({ gap, sectors }) => {
      const startBytes = (next + gap) * sector;
      next += gap + sectors;
      return { startBytes, sizeBytes: sectors * sector };
    });
    return fc.shuffledSubarray(ranges, { minLength: ranges.length });
  });

test("what is written into ranges is read from them, and nothing lies beside", async () => {
  await fc.assert(
    fc.asyncProperty(
      places,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1000, max: 3 * MiB }),
      async (ranges, share, chunk) => {
        await freshDisk();
        const room = ranges.reduce((sum, range) => sum + range.sizeBytes, 0);
        const content = source.subarray(0, Math.floor(Math.min(room, source.length) * share));
        const written = await writeRanges(disk, ranges, inChunks(content, chunk));
        const sha256 = sha256Hex(content);
        expect(written).toEqual({ sizeBytes: content.length, sha256 });
        const file: StoredFile = { name: "f", path: disk, ranges, ...written };
        expect(await hashStored(file)).toBe(sha256);
        expect(await copyStored(file, join(folder, "copy"))).toBe(sha256);
        expect((await readFile(join(folder, "copy"))).equals(content)).toBe(true);
        const bytes = await readFile(disk);
        for (const { startBytes, sizeBytes } of ranges) bytes.fill(0, startBytes, startBytes + sizeBytes);
        expect(bytes.every((byte) => byte === 0)).toBe(true);
      },
    ),
    { numRuns: 8 },
  );
});

test("a stream longer than the ranges is refused before it leaves them", async () => {
  await freshDisk();
  const ranges = [
    { startBytes: 2 * MiB, sizeBytes: sector },
    { startBytes: MiB, sizeBytes: sector },
  ];
  const whole = writeRanges(disk, ranges, inChunks(source.subarray(0, 2 * sector + 1), 700));
  await expect(whole).rejects.toThrow(RangesFullError);
  const bytes = await readFile(disk);
  expect(bytes.subarray(MiB + sector, 2 * MiB).every((byte) => byte === 0)).toBe(true);
  expect(bytes.subarray(2 * MiB + sector).every((byte) => byte === 0)).toBe(true);
});

test.each([
  ["ranges shorter than the file", [{ startBytes: 0, sizeBytes: sector }], /shorter than the file/],
  ["a disk that ends before", [{ startBytes: 1000 * sector, sizeBytes: 2 * sector }], /ends at byte/],
])("%s are an error", async (_, ranges, message) => {
  await writeFile(disk, Buffer.alloc(1001 * sector));
  const file = { name: "f", path: disk, ranges, sizeBytes: 2 * sector, sha256: "" };
  const read = async (): Promise<void> => {
    for await (const chunk of readStored(file)) expect(chunk.length).toBeGreaterThan(0);
  };
  await expect(read()).rejects.toThrow(message);
});

test("the stash is all its files, its own list, the loader and the old system's archive", () => {
  const range = (start: number, count: number) => ({ startBytes: start * sector, sizeBytes: count * sector });
  const file = (ranges: ReturnType<typeof range>[]) => ({ name: "f", sizeBytes: 1, sha256: "", ranges });
  expect(
    stashRanges(
      {
        files: [file([range(10, 2), range(30, 1)]), file([range(12, 1)])],
        space: { loader: range(50, 8), oldSystem: [range(90, 1), range(31, 1)] },
      },
      { range: range(58, 2) },
    ),
  ).toEqual([range(10, 3), range(30, 2), range(50, 10), range(90, 1)]);
});
