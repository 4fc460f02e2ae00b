import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLinear } from "../../../../agent/facts/disk-map.ts";
import { parseFilefrag } from "../../../../agent/facts/parse-filefrag.ts";

/** As e2fsprogs 1.47.0 printed it for a preallocated file of which a part was written, on a full ext4. */
const real = `Filesystem type is: ef53
File size of /var/lib/dualroot/stash/content is 3145728 (6144 blocks of 512 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..    2047:   69632..   71679:   2048:            
   1:     2048..    4095:   81920..   83967:   2048:      71680: unwritten
   2:     4096..    6143:   83968..   86015:   2048:             last,unwritten,eof
/var/lib/dualroot/stash/content: 2 extents found
`;

test("extents in the file's order, in bytes", () => {
  expect(parseFilefrag(real)).toEqual([
    { offsetBytes: 0, startBytes: 69632 * 512, sizeBytes: 2048 * 512 },
    { offsetBytes: 2048 * 512, startBytes: 81920 * 512, sizeBytes: 2048 * 512 },
    { offsetBytes: 4096 * 512, startBytes: 83968 * 512, sizeBytes: 2048 * 512 },
  ]);
});

test.each([
  "unknown_loc",
  "delalloc",
  "inline",
  "encoded",
  "encrypted",
  "shared",
  "not_aligned",
  "tail_packed",
  "0x4000",
])("an extent that is %s has no place on the disk", (flag) => {
  expect(() => parseFilefrag(real.replace("last,unwritten,eof", `last,${flag},eof`))).toThrow(flag);
});

test.each([
  ["lengths that differ", "   0:        0..    2047:   69632..   71679:   2047: last"],
  ["places that differ", "   0:        0..    2047:   69632..   71678:   2048: last"],
  ["numbers without end", `   0:        0..    ${"9".repeat(20)}:   69632..   71679:   2048: last`],
  ["words", "   0: nothing"],
  ["overlap", "   0:        0..    7:   8..   15:   8: \n   1:        4..    11:   80..   87:   8: last"],
])("refused: %s", (_, line) => {
  expect(() => parseFilefrag(line)).toThrow(/filefrag/);
});

test("no text makes anything but ordered whole sectors, or an error", () => {
  const line = fc
    .tuple(
      fc.nat(9),
      fc.nat(9),
      fc.nat(9),
      fc.nat(9),
      fc.nat(9),
      fc.constantFrom("", "last", "eof", "x", "shared"),
    )
    .map(
      ([first, last, start, end, length, flags]) =>
        ` 0: ${first}.. ${last}: ${start}.. ${end}: ${length}: ${flags}`,
    );
  const text = fc.array(fc.oneof(line, fc.string(), fc.constant(real.split("\n")[3]!)), { maxLength: 5 });
  let accepted = 0;
  fc.assert(
    fc.property(text, (lines) => {
      let pieces;
      try {
        pieces = parseFilefrag(lines.join("\n"));
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        return;
      }
      accepted += pieces.length;
      let behind = 0;
      for (const { offsetBytes, startBytes, sizeBytes } of pieces) {
        expect(offsetBytes).toBeGreaterThanOrEqual(behind);
        expect([offsetBytes % 512, startBytes % 512, sizeBytes % 512]).toEqual([0, 0, 0]);
        expect(sizeBytes).toBeGreaterThan(0);
        behind = offsetBytes + sizeBytes;
      }
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test("device-mapper tables: linear segments only", () => {
  expect(parseLinear("491520 737280 linear 254:2 821248\n")).toEqual({
    device: "254:2",
    piece: { offsetBytes: 491520 * 512, startBytes: 821248 * 512, sizeBytes: 737280 * 512 },
  });
  for (const line of [
    "0 8 striped 2 128 254:2 2048 254:3 2048",
    "0 0 linear 254:2 0",
    "0 8 linear /dev/sda 0",
    "0 8 crypt aes 0 8:1 0",
    "",
    `0 ${"9".repeat(15)} linear 254:2 ${"9".repeat(15)}`,
  ])
    expect(parseLinear(line)).toBeUndefined();
});
