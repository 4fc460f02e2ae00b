import { expect, test } from "vitest";
import type { Problem } from "../../../../format/errors.ts";
import { MiB } from "../../../../format/sizes.ts";
import { allocateStash, type AllocationRequest } from "../../../../agent/stage1/stash/allocate-stash.ts";
import type { Piece } from "../../../../agent/plan/map-to-disk.ts";

/** Of the disk, in the order in which a filesystem would hand it out. */
interface Extent {
  startBytes: number;
  sizeBytes: number;
}

/** A filesystem that gives what it has in its own order, and keeps what it gave. */
function filesystem(extents: readonly Extent[]): {
  file: AllocationRequest["file"];
  asked: number[];
  free: () => number;
} {
  const left = extents.map((extent) => ({ ...extent }));
  const pieces: Piece[] = [];
  const asked: number[] = [];
  const free = (): number => left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let offsetBytes = 0;
  return {
    asked,
    free,
    file: {
      freeBytes: async () => free(),
      grow: async (bytes) => {
        asked.push(bytes);
        if (bytes > free()) return undefined;
        for (let missing = bytes; missing > 0;) {
          const extent = left.find(({ sizeBytes }) => sizeBytes > 0)!;
          const sizeBytes = Math.min(missing, extent.sizeBytes);
          pieces.push({ offsetBytes, startBytes: extent.startBytes, sizeBytes });
          offsetBytes += sizeBytes;
          extent.startBytes += sizeBytes;
          extent.sizeBytes -= sizeBytes;
          missing -= sizeBytes;
        }
        return pieces;
      },
    },
  };
}

const region = { startBytes: 1000 * MiB, sizeBytes: 4000 * MiB };
const kernel = { name: "kernel", sizeBytes: 8 * MiB, maxRanges: 1 };
const rootfs = { name: "rootfs", sizeBytes: 100 * MiB, maxRanges: 100 };
const archive = { name: "old-system", sizeBytes: 500 * MiB, maxRanges: 100 };

function request(
  file: AllocationRequest["file"],
  change: Partial<AllocationRequest> = {},
): AllocationRequest {
  return {
    items: [kernel, rootfs],
    optional: [],
    region,
    judge: () => [],
    file,
    signal: new AbortController().signal,
    ...change,
  };
}

test("one attempt for what needs one range and one for the rest where the first places will do, and no byte more", async () => {
  const { file, asked } = filesystem([{ startBytes: 2000 * MiB, sizeBytes: 1000 * MiB }]);
  const allocation = await allocateStash(request(file));
  expect(allocation).toMatchObject({ attempts: 2, elsewhereBytes: 0 });
  expect(asked).toEqual([8 * MiB, 100 * MiB]);
});

test("a gigabyte of places that will not do is passed over in a few attempts, and none of it is used", async () => {
  const { file, asked } = filesystem([
    { startBytes: MiB, sizeBytes: 999 * MiB },
    { startBytes: 1000 * MiB, sizeBytes: 2000 * MiB },
  ]);
  const allocation = await allocateStash(request(file, { items: [kernel] }));
  if (!allocation.places) throw new Error(allocation.reason);
  expect(asked.length).toBeGreaterThan(3);
  expect(asked.length).toBeLessThan(12);
  expect(allocation.elsewhereBytes).toBe(999 * MiB);
  for (const { startBytes } of [...allocation.places.values()].flat())
    expect(startBytes).toBeGreaterThanOrEqual(region.startBytes);
});

test("a file that needs one range gets it from the space that is asked for anew", async () => {
  const crumbs = Array.from({ length: 40 }, (_, index) => ({
    startBytes: (1000 + 10 * index) * MiB,
    sizeBytes: 4 * MiB,
  }));
  const { file, asked } = filesystem([...crumbs, { startBytes: 3000 * MiB, sizeBytes: 400 * MiB }]);
  const allocation = await allocateStash(request(file));
  if (!allocation.places) throw new Error(allocation.reason);
  expect(allocation.places.get("kernel")).toMatchObject([{ sizeBytes: 8 * MiB }]);
  expect(allocation.places.get("kernel")![0]!.startBytes).toBeGreaterThanOrEqual(3000 * MiB);
  expect(asked.length).toBeGreaterThan(1);
});

test("the filesystem keeps its margin, and the attempt ends with a reason", async () => {
  const { file, free } = filesystem([
    { startBytes: MiB, sizeBytes: 300 * MiB },
    { startBytes: 2000 * MiB, sizeBytes: 100 * MiB },
  ]);
  const allocation = await allocateStash(request(file));
  expect(allocation).toMatchObject({ reason: expect.stringContaining("too little free space where") });
  expect(free()).toBeGreaterThanOrEqual(64 * MiB);
});

test("the archive of the old system is left out when it has no room, and the stash is as it was to be", async () => {
  const { file, asked } = filesystem([{ startBytes: 2000 * MiB, sizeBytes: 400 * MiB }]);
  const without = await allocateStash(request(file, { optional: [archive] }));
  expect(without).toMatchObject({ withOptional: false });
  expect(asked).toEqual([8 * MiB, 100 * MiB]);
  const roomy = filesystem([{ startBytes: 2000 * MiB, sizeBytes: 900 * MiB }]);
  expect(await allocateStash(request(roomy.file, { optional: [archive] }))).toMatchObject({
    withOptional: true,
  });
  const needed = await allocateStash(
    request(filesystem([{ startBytes: 2000 * MiB, sizeBytes: 400 * MiB }]).file, {
      items: [kernel, rootfs, archive],
    }),
  );
  expect(needed.places).toBeUndefined();
});

test("it is left out as well when the new volumes do not fit around it", async () => {
  const { file } = filesystem([{ startBytes: 2000 * MiB, sizeBytes: 900 * MiB }]);
  const problem: Problem = { code: "volumes-do-not-fit", message: "root_b does not fit.", hint: "" };
  const judge: AllocationRequest["judge"] = (ranges) =>
    ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > 200 * MiB ? [problem] : [];
  expect(await allocateStash(request(file, { optional: [archive], judge }))).toMatchObject({
    withOptional: false,
  });
  const never = filesystem([{ startBytes: 2000 * MiB, sizeBytes: 900 * MiB }]);
  expect(await allocateStash(request(never.file, { judge: () => [problem] }))).toEqual({
    reason: "root_b does not fit.",
  });
});

test("a filesystem that cannot preallocate, and a person who says stop", async () => {
  const { file } = filesystem([{ startBytes: 2000 * MiB, sizeBytes: 900 * MiB }]);
  const refusing = { ...file, grow: async () => undefined };
  expect(await allocateStash(request(refusing))).toEqual({
    reason: "the old filesystem does not preallocate files",
  });
  const signal = AbortSignal.abort(new Error("Ctrl-C"));
  await expect(allocateStash(request(file, { signal }))).rejects.toThrow("Ctrl-C");
});
