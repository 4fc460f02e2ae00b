import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseStashPlaces, type StashItem } from "../../../../agent/plan/choose-stash-places.ts";
import { freeLayoutBytes, judgeStashRanges, stashRegion } from "../../../../agent/plan/judge-stash-ranges.ts";
import { clipPieces, joinPieces, mapPieces, type Piece } from "../../../../agent/plan/map-to-disk.ts";
import { planConversion } from "../../../../agent/plan/conversion-plan.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";
import { exampleFacts, examplePlanInput, gatewayNames } from "../example.ts";

const blockBytes = 4096;

/** Pieces that do not overlap, above or below, in a shuffled order below. */
const pieces: fc.Arbitrary<Piece[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 5 }), fc.integer()), {
    maxLength: 12,
  })
  .map((list) => {
    const order = list
      .map(([blocks, , key], index) => ({ blocks, key, index }))
      .sort((a, b) => a.key - b.key);
    const starts = new Map<number, number>();
    let below = 7 * blockBytes;
    for (const { blocks, index } of order) {
      starts.set(index, below);
      below += (blocks + 1) * blockBytes;
    }
    let above = 0;
    return list.map(([blocks, gap], index) => {
      const offsetBytes = above + gap * blockBytes;
      above = offsetBytes + blocks * blockBytes;
      return { offsetBytes, startBytes: starts.get(index)!, sizeBytes: blocks * blockBytes };
    });
  });

/** Where one byte of the upper thing lies below. */
function lookUp(list: readonly Piece[], offset: number): number | undefined {
  const found = list.find(
    ({ offsetBytes, sizeBytes }) => offsetBytes <= offset && offset < offsetBytes + sizeBytes,
  );
  return found && found.startBytes + offset - found.offsetBytes;
}

test("mapping twice is looking every byte up twice", () => {
  let mapped = 0;
  fc.assert(
    fc.property(pieces, pieces, (upper, lower) => {
      const result = mapPieces(upper, lower);
      const samples = upper.flatMap(({ offsetBytes, sizeBytes }) =>
        Array.from({ length: sizeBytes / blockBytes }, (_, index) => offsetBytes + index * blockBytes),
      );
      const expected = samples.map((offset) => lookUp(lower, lookUp(upper, offset)!));
      if (expected.includes(undefined)) {
        expect(result).toBeUndefined();
        return;
      }
      mapped += samples.length;
      expect(samples.map((offset) => lookUp(result!, offset))).toEqual(expected);
      expect(samples.map((offset) => lookUp(result!, offset + blockBytes - 1))).toEqual(
        expected.map((start) => start! + blockBytes - 1),
      );
      expect(joinPieces(result!)).toEqual(result);
    }),
    { numRuns: 500 },
  );
  expect(mapped).toBeGreaterThan(50);
});

test("clipping keeps exactly the bytes below within the range", () => {
  fc.assert(
    fc.property(pieces, fc.nat(300), fc.nat(300), (list, first, count) => {
      const range = { startBytes: first * blockBytes, sizeBytes: count * blockBytes };
      const clipped = clipPieces(list, range);
      for (const { offsetBytes, sizeBytes } of list) {
        for (let offset = offsetBytes; offset < offsetBytes + sizeBytes; offset += blockBytes) {
          const below = lookUp(list, offset)!;
          const inside = below >= range.startBytes && below < range.startBytes + range.sizeBytes;
          expect(lookUp(clipped, offset)).toBe(inside ? below : undefined);
        }
      }
    }),
  );
});

const items: fc.Arbitrary<StashItem[]> = fc
  .array(
    fc.record({ sizeBytes: fc.integer({ min: 0, max: 60_000 }), maxRanges: fc.constantFrom(1, 2, 50) }),
    { minLength: 1, maxLength: 6 },
  )
  .map((list) => list.map((item, index) => ({ name: `item-${index}`, ...item })));

test("every item gets whole sectors of its own within the pieces, in as few ranges as it may have", () => {
  let placed = 0;
  let refused = 0;
  fc.assert(
    fc.property(items, pieces, (list, available) => {
      const choice = chooseStashPlaces(list, available);
      if (!choice.places) {
        refused++;
        expect(choice.missingBytes).toBeGreaterThan(0);
        const ranges = choice.missing.map(({ maxRanges }) => maxRanges);
        expect(ranges).toEqual([...ranges].sort((one, other) => one - other));
        return;
      }
      placed++;
      const blocks: number[] = [];
      for (const { name, sizeBytes, maxRanges } of list) {
        const own = choice.places.get(name)!;
        expect(own.length).toBeLessThanOrEqual(maxRanges);
        const sum = own.reduce((total, piece) => total + piece.sizeBytes, 0);
        expect(sum).toBe(Math.max(1, Math.ceil(sizeBytes / 512)) * 512);
        for (const { offsetBytes, startBytes, sizeBytes: size } of own) {
          expect(lookUp(available, offsetBytes)).toBe(startBytes);
          expect(lookUp(available, offsetBytes + size - 1)).toBe(startBytes + size - 1);
          for (let offset = offsetBytes; offset < offsetBytes + size; offset += blockBytes)
            blocks.push(offset);
        }
      }
      expect(new Set(blocks).size).toBe(blocks.length);
    }),
    { numRuns: 500 },
  );
  expect(Math.min(placed, refused)).toBeGreaterThan(50);
});

test("what one range is asked for is told whole, what may be spread only as far as it lacks", () => {
  const available = [
    { offsetBytes: 0, startBytes: MiB, sizeBytes: 3 * blockBytes },
    { offsetBytes: 3 * blockBytes, startBytes: 9 * MiB, sizeBytes: 3 * blockBytes },
  ];
  const kernel = { name: "kernel", sizeBytes: 4 * blockBytes, maxRanges: 1 };
  expect(chooseStashPlaces([kernel], available)).toMatchObject({ missingBytes: 4 * blockBytes });
  const spread = { name: "rootfs", sizeBytes: 8 * blockBytes, maxRanges: 9 };
  expect(chooseStashPlaces([spread], available)).toMatchObject({ missingBytes: 2 * blockBytes });
  const inTooMany = { name: "ramdisk", sizeBytes: 4 * blockBytes, maxRanges: 1 };
  expect(chooseStashPlaces([inTooMany], available)).toMatchObject({ missingBytes: 4 * blockBytes });
});

test.each(gatewayNames)("%s: a stash may lie within the new extents, and nowhere else", (name) => {
  const input = examplePlanInput(exampleFacts(name));
  const plan = planConversion(input);
  const region = stashRegion(plan);
  // 1 MiB, 2 MiB of BIOS boot, 1 GiB of /boot, 1 MiB of LVM's metadata.
  expect(region.startBytes).toBe(GiB + 4 * MiB);
  expect(region.startBytes + region.sizeBytes).toBeLessThan(input.facts.disks[0]!.sizeBytes);
  const inside = { startBytes: region.startBytes, sizeBytes: 512 };
  const last = { startBytes: region.startBytes + region.sizeBytes - 512, sizeBytes: 512 };
  expect(judgeStashRanges(input, [inside, last])).toEqual([]);
  for (const startBytes of [0, 512, MiB, 600 * MiB, region.startBytes - 512, last.startBytes + 512]) {
    expect(judgeStashRanges(input, [{ startBytes, sizeBytes: 512 }])).toMatchObject([
      { code: "stash-in-the-way" },
    ]);
  }
});

test("volumes that no longer fit around the ranges are told", () => {
  const input = examplePlanInput(exampleFacts());
  const plan = planConversion(input);
  const free = freeLayoutBytes(plan);
  const { startBytes } = stashRegion(plan);
  expect(judgeStashRanges(input, [{ startBytes, sizeBytes: free }])).toEqual([]);
  // Every other extent: the volumes have to go around hundreds of ranges.
  const count = Math.floor(free / (4 * MiB));
  const scattered = Array.from({ length: count }, (_, index) => ({
    startBytes: startBytes + 2 * index * 4 * MiB + 512,
    sizeBytes: 512,
  }));
  expect(judgeStashRanges(input, scattered)).toEqual([]);
  expect(judgeStashRanges(input, [{ startBytes, sizeBytes: free + 512 }])).toMatchObject([
    { code: "volumes-do-not-fit" },
  ]);
});
