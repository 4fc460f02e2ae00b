import { createHash } from "node:crypto";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { silent, type Event } from "../../../../format/events.ts";
import { readBackPlaced, refuseMoved, writePlaced } from "../../../../agent/stage1/stash/placed-file.ts";
import { reclaimableBytes } from "../../../../agent/system/reclaimable-bytes.ts";
import { safeguardsLeftOut } from "../../../../agent/stage1/stash/safeguards.ts";
import type { StashSource } from "../../../../agent/stage1/stash/stash-sources.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let scratch: string;
/** Stands for the disk and for the file on it at once: a file whose offsets are the disk's. */
let disk: string;
const bytes = Buffer.alloc(5000, "the stash's bytes ");
const source: StashSource = {
  name: "rootfs.tar.xz",
  sizeBytes: bytes.length,
  sha256: sha256(bytes),
  read: () => [bytes],
};
const pieces = [
  { offsetBytes: 8192, startBytes: 8192, sizeBytes: 4096 },
  { offsetBytes: 40960, startBytes: 40960, sizeBytes: 1024 },
];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "placed-"));
  disk = join(scratch, "disk");
  writeFileSync(disk, Buffer.alloc(65536, 0xee));
});

test("a file is written over its pieces, with zeros to the end of its last sector and not a byte more", async () => {
  const placed = await writePlaced(disk, source, pieces, () => {});
  const after = readFileSync(disk);
  expect(Buffer.concat([after.subarray(8192, 8192 + 4096), after.subarray(40960, 40960 + 904)])).toEqual(
    bytes,
  );
  expect(after.subarray(40960 + 904, 40960 + 1024)).toEqual(Buffer.alloc(120));
  for (const [from, to] of [
    [0, 8192],
    [8192 + 4096, 40960],
    [40960 + 1024, 65536],
  ] as const)
    expect(after.subarray(from, to)).toEqual(Buffer.alloc(to - from, 0xee));
  expect(placed.file).toEqual({
    name: "rootfs.tar.xz",
    sizeBytes: 5000,
    sha256: sha256(bytes),
    ranges: [
      { startBytes: 8192, sizeBytes: 4096 },
      { startBytes: 40960, sizeBytes: 1024 },
    ],
  });
  expect(placed.sectorsBytes).toBe(5120);
  let read = 0;
  await readBackPlaced(disk, placed, (count) => (read += count));
  expect(read).toBe(5120);
});

test.each([8192, 8192 + 4095, 40960 + 903, 40960 + 1023])(
  "byte %i flipped on the disk is found",
  async (position) => {
    const placed = await writePlaced(disk, source, pieces, () => {});
    const file = await open(disk, "r+");
    await file.write(Buffer.from([0x5a]), 0, 1, position);
    await file.close();
    await expect(readBackPlaced(disk, placed, () => {})).rejects.toThrow(
      /does not hold rootfs\.tar\.xz where/,
    );
  },
);

test("what changed since it was verified is refused", async () => {
  const changed = { ...source, read: () => [Buffer.from(bytes).fill(0x20, 100, 101)] };
  await expect(writePlaced(disk, changed, pieces, () => {})).rejects.toThrow(/not what was verified before/);
});

test("places that moved, were cut in two or are gone are refused", () => {
  expect(() => refuseMoved(pieces, [pieces])).not.toThrow();
  expect(() => refuseMoved([{ offsetBytes: 0, startBytes: 0, sizeBytes: 65536 }], [pieces])).not.toThrow();
  const moved = [{ ...pieces[0]!, startBytes: 12288 }, pieces[1]!];
  const halves = [
    { offsetBytes: 8192, startBytes: 8192, sizeBytes: 2048 },
    { offsetBytes: 10240, startBytes: 20480, sizeBytes: 2048 },
    pieces[1]!,
  ];
  for (const now of [moved, halves, [pieces[0]!], []])
    expect(() => refuseMoved(now, [pieces])).toThrow(/has moved the stash/);
});

test("what an earlier attempt left counts as free, but not what is linked elsewhere", async () => {
  const stash = join(scratch, "stash");
  expect(await reclaimableBytes(stash)).toBe(0);
  mkdirSync(join(stash, "package"), { recursive: true });
  writeFileSync(join(stash, "content"), Buffer.alloc(1_000_000, 1));
  writeFileSync(join(scratch, "kernel"), Buffer.alloc(1_000_000, 1));
  linkSync(join(scratch, "kernel"), join(stash, "package/vmlinuz-convert"));
  writeFileSync(join(stash, "package/hole"), "");
  truncateSync(join(stash, "package/hole"), 50_000_000);
  const free = await reclaimableBytes(stash);
  expect(free).toBeGreaterThanOrEqual(1_000_000);
  expect(free).toBeLessThan(1_200_000);
});

test("safeguards are left out loudly, and with a development key only", () => {
  const told: Event[] = [];
  const without = safeguardsLeftOut("stash-read-back,reading", "dev", (event) => told.push(event));
  expect([...without]).toEqual(["stash-read-back"]);
  expect(told).toMatchObject([{ kind: "note", level: "warn" }]);
  expect(safeguardsLeftOut("stash-read-back,stash-placement", "release", silent).size).toBe(0);
  expect(safeguardsLeftOut(undefined, "dev", silent).size).toBe(0);
});
