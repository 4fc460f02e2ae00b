import fc from "fast-check";
import { expect, test } from "vitest";
import { splitEpochs } from "../../power/log/epochs.ts";
import { readWriteLog } from "../../power/log/write-log.ts";
import { logBytes, sourceOf } from "./log-bytes.ts";

const diskBytes = 1024 * 1024;
const [write, flush, forced, discard, mark] = [0, 1, 2, 4, 8];
const sectors = (count: number): Buffer => Buffer.alloc(count * 512, 0x5a);

async function parse(bytes: Buffer): ReturnType<typeof readWriteLog> {
  return readWriteLog(sourceOf(bytes), bytes.length, diskBytes);
}

test("writes, discards and flushes come in order, with the place of their data", async () => {
  const bytes = logBytes([
    { sector: 8, sectors: 2, flags: write, data: sectors(2) },
    { sector: 100, sectors: 1000, flags: discard },
    { sector: 0, sectors: 0, flags: flush },
    { sector: 0, sectors: 1, flags: forced, data: sectors(1) },
  ]);
  expect(await parse(bytes)).toEqual([
    { kind: "write", sector: 8, sectors: 2, isForced: false, dataOffset: 1024 },
    { kind: "discard", sector: 100, sectors: 1000, isForced: false, dataOffset: 2560 },
    { kind: "flush", sector: 0, sectors: 0, isForced: false, dataOffset: 3072 },
    { kind: "write", sector: 0, sectors: 1, isForced: true, dataOffset: 3584 },
  ]);
});

test("commit blocks of an ext4 journal are found inside a write", async () => {
  const data = sectors(18);
  // JBD2_MAGIC_NUMBER, JBD2_COMMIT_BLOCK; the first has the type of a descriptor.
  for (const [sector, words] of [
    [0, "c03b399800000001"],
    [8, "c03b399800000002"],
    [16, "c03b399800000002"],
  ] as const)
    data.write(words, sector * 512, "hex");
  const [entry] = await parse(logBytes([{ sector: 8, sectors: 18, flags: write, data }]));
  expect(entry?.commits).toEqual([8, 16]);
});

test("a mark is passed over, with its text", async () => {
  const bytes = logBytes([
    { sector: 0, sectors: 0, flags: mark },
    { sector: 0, sectors: 0, flags: flush },
  ]);
  expect((await parse(bytes)).map(({ kind }) => kind)).toEqual(["flush"]);
});

test("entries behind the superblock's count are there all the same: QEMU counts at flushes", async () => {
  const entries = [1, 2, 3].map((sector) => ({ sector, sectors: 1, flags: write, data: sectors(1) }));
  expect(await parse(logBytes(entries, 1))).toHaveLength(3);
});

test("a last entry without all its data is left out; fewer entries than counted are an error", async () => {
  const entries = [1, 2].map((sector) => ({ sector, sectors: 4, flags: write, data: sectors(4) }));
  const cut = logBytes(entries, 1).subarray(0, -512);
  expect(await parse(cut)).toHaveLength(1);
  await expect(parse(logBytes(entries, 3))).rejects.toThrow("says it has 3 entries, it has 2");
});

test.each([
  ["an entry behind the end of the disk", [{ sector: 2048, sectors: 1, flags: write, data: sectors(1) }]],
  ["flags nobody knows", [{ sector: 0, sectors: 1, flags: 64, data: sectors(1) }]],
])("%s is refused", async (_, entries) => {
  await expect(parse(logBytes(entries))).rejects.toThrow("does not make sense");
});

test("another file is no log", async () => {
  await expect(parse(Buffer.alloc(4096))).rejects.toThrow("no log of writes");
});

test("whatever bytes it is given, it ends, and all entries it tells lie on the disk and in the log", async () => {
  const start = logBytes([], 0);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 4096 }), fc.boolean(), async (noise, isSparse) => {
      const tail = Buffer.from(noise);
      // Mostly zeros: else no random header is ever a legal one.
      if (isSparse) for (let at = 0; at < tail.length; at += 1) if (at % 8 > 0) tail[at] = 0;
      const bytes = Buffer.concat([start, tail]);
      const log = await parse(bytes).catch(() => []);
      for (const entry of log) {
        expect((entry.sector + entry.sectors) * 512).toBeLessThanOrEqual(diskBytes);
        if (entry.kind === "write")
          expect(entry.dataOffset + entry.sectors * 512).toBeLessThanOrEqual(bytes.length);
      }
    }),
  );
});

test("a flush ends an epoch, a forced write ends it with itself, empty ones do not count", () => {
  const entry = (kind: "write" | "flush", isForced = false) => ({
    kind,
    isForced,
    sector: 0,
    sectors: 1,
    dataOffset: 0,
  });
  const log = [
    entry("flush"),
    entry("write"),
    entry("write"),
    entry("flush"),
    entry("flush"),
    entry("write", true),
    entry("write"),
  ];
  expect(splitEpochs(log)).toEqual([
    { writes: [1, 2], end: 3 },
    { writes: [5], end: 6 },
    { writes: [6], end: 7 },
  ]);
});
