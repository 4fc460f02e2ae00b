import fc from "fast-check";
import { expect, test } from "vitest";
import {
  extentsToBytes,
  freeExtents,
  mapExtents,
  placeVolumes,
  reserveExtents,
} from "../../../../agent/plan/extents.ts";
import type { ExtentRange } from "../../../../agent/plan/step.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";

const total = fc.integer({ min: 1, max: 400 });
const ranges = fc.array(
  fc.record({ first: fc.integer({ min: 0, max: 420 }), count: fc.integer({ min: 1, max: 60 }) }),
  { maxLength: 6 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 });

function extentsIn(list: readonly ExtentRange[]): number[] {
  return list.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
}

test("volumes never overlap, never touch what is reserved, have their size, and lie inside", () => {
  let placed = 0;
  let refused = 0;
  fc.assert(
    fc.property(total, ranges, sizes, (totalExtents, reserved, counts) => {
      const wanted = counts.map((count, index) => ({ name: `v${index}`, count }));
      const placement = placeVolumes(totalExtents, reserved, wanted);
      const available = extentsIn(freeExtents(totalExtents, reserved)).length;
      const needed = counts.reduce((sum, count) => sum + count, 0);
      expect(placement.fits).toBe(needed <= available);
      if (!placement.fits) {
        refused++;
        if (placement.missing !== needed - available) throw new Error(`${placement.missing} are not missing`);
        return;
      }
      placed++;
      const taken = placement.volumes.flatMap((volume) => extentsIn(volume.extents));
      expect(new Set(taken).size).toBe(taken.length);
      expect(taken.every((extent) => extent >= 0 && extent < totalExtents)).toBe(true);
      const kept = new Set(extentsIn(reserved));
      expect(taken.some((extent) => kept.has(extent))).toBe(false);
      expect(placement.volumes.map((volume) => extentsIn(volume.extents).length)).toEqual(counts);
      const left = new Set(
        [...taken, ...extentsIn(placement.free), ...kept].filter((extent) => extent < totalExtents),
      );
      expect(left.size).toBe(totalExtents);
      expect(placeVolumes(totalExtents, reserved, wanted)).toEqual(placement);
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(placed).toBeGreaterThan(200);
  expect(refused).toBeGreaterThan(200);
});

test("on an empty disk the volumes lie one behind the other in the layout's order", () => {
  const placement = placeVolumes(
    100,
    [],
    [
      { name: "a", count: 10 },
      { name: "b", count: 50 },
      { name: "c", count: 5 },
    ],
  );
  expect(placement.fits && placement.volumes.map((volume) => volume.extents)).toEqual([
    [{ first: 0, count: 10 }],
    [{ first: 10, count: 50 }],
    [{ first: 60, count: 5 }],
  ]);
});

test("a volume is split only when no gap holds it whole", () => {
  // Gaps of 40, 30 and 20. In order, 30 would take the first gap and 40 would have to be split.
  const reserved = [
    { first: 40, count: 10 },
    { first: 80, count: 10 },
  ];
  const whole = placeVolumes(110, reserved, [
    { name: "small", count: 30 },
    { name: "big", count: 40 },
  ]);
  expect(whole.fits && whole.volumes.map((volume) => volume.extents)).toEqual([
    [{ first: 50, count: 30 }],
    [{ first: 0, count: 40 }],
  ]);
  const split = placeVolumes(110, reserved, [{ name: "huge", count: 55 }]);
  expect(split.fits && split.volumes[0]!.extents).toEqual([
    { first: 0, count: 40 },
    { first: 90, count: 15 },
  ]);
});

test("the first volume that finds no room is named with what is missing", () => {
  const placement = placeVolumes(
    50,
    [{ first: 0, count: 10 }],
    [
      { name: "a", count: 30 },
      { name: "b", count: 20 },
      { name: "c", count: 5 },
    ],
  );
  expect(placement).toEqual({ fits: false, volume: "b", wanted: 20, available: 40, missing: 15 });
});

test("extents begin 1 MiB behind the partition's start, as LVM places them", () => {
  const map = mapExtents({ startBytes: GiB, sizeBytes: GiB }, 4 * MiB);
  expect(map).toEqual({ dataStartBytes: GiB + MiB, extentBytes: 4 * MiB, totalExtents: 255 });
  expect(extentsToBytes(map, { first: 2, count: 3 })).toEqual({
    startBytes: GiB + 9 * MiB,
    sizeBytes: 12 * MiB,
  });
});

test("every reserved byte lies in a reserved extent or is told to lie outside", () => {
  let inside = 0;
  let outside = 0;
  const map = mapExtents({ startBytes: 100, sizeBytes: MiB + 6400 }, 64);
  const range = fc.record({
    startBytes: fc.integer({ min: MiB - 200, max: MiB + 7000 }),
    sizeBytes: fc.integer({ min: 1, max: 500 }),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 5 }), (list) => {
      const result = reserveExtents(map, list);
      const kept = new Set(extentsIn(result.reserved));
      for (const { startBytes, sizeBytes } of list) {
        for (let byte = startBytes; byte < startBytes + sizeBytes; byte++) {
          const extent = Math.floor((byte - map.dataStartBytes) / map.extentBytes);
          if (extent >= 0 && extent < map.totalExtents) {
            inside++;
            if (!kept.has(extent)) throw new Error(`byte ${byte} is not kept`);
          } else {
            outside++;
            if (!result.outside.some((o) => o.startBytes === startBytes && o.sizeBytes === sizeBytes)) {
              throw new Error(`byte ${byte} lies outside and nobody says so`);
            }
          }
        }
      }
      // No extent is kept for nothing.
      for (const extent of kept) {
        const start = map.dataStartBytes + extent * map.extentBytes;
        const touched = list.some(
          (r) => r.startBytes < start + map.extentBytes && r.startBytes + r.sizeBytes > start,
        );
        expect(touched).toBe(true);
      }
    }),
    { numRuns: 300, seed: 2 },
  );
  expect(inside).toBeGreaterThan(1000);
  expect(outside).toBeGreaterThan(100);
});
