import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeByteRanges, subtractByteRanges } from "../../../../agent/plan/byte-ranges.ts";
import type { ByteRange } from "../../../../agent/plan/step.ts";

const range = fc.record({
  startBytes: fc.integer({ min: 0, max: 200 }),
  sizeBytes: fc.integer({ min: 0, max: 50 }),
});
const ranges = fc.array(range, { maxLength: 8 });

function bytesIn(list: readonly ByteRange[]): Set<number> {
  return new Set(
    list.flatMap(({ startBytes, sizeBytes }) =>
      Array.from({ length: sizeBytes }, (_, index) => startBytes + index),
    ),
  );
}

function isTidy(list: readonly ByteRange[]): boolean {
  return list.every(
    ({ startBytes, sizeBytes }, index) =>
      sizeBytes > 0 && (index === 0 || list[index - 1]!.startBytes + list[index - 1]!.sizeBytes < startBytes),
  );
}

test("merged ranges are the same bytes, in order and apart", () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const merged = mergeByteRanges(list);
      expect(bytesIn(merged)).toEqual(bytesIn(list));
      expect(isTidy(merged)).toBe(true);
    }),
    { numRuns: 500, seed: 10 },
  );
});

test("subtracting leaves exactly what no hole covers", () => {
  fc.assert(
    fc.property(ranges, ranges, (list, holes) => {
      const left = subtractByteRanges(list, holes);
      const gone = bytesIn(holes);
      expect(bytesIn(left)).toEqual(new Set([...bytesIn(list)].filter((byte) => !gone.has(byte))));
      expect(left.every(({ sizeBytes }) => sizeBytes > 0)).toBe(true);
    }),
    { numRuns: 500, seed: 11 },
  );
});
