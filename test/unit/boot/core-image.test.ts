import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { placeBootImage, placeCoreImage } from "../../../agent/boot/core-image.ts";

/** Offset -> byte, both hexadecimal. */
const bytesByOffset = z.record(z.string(), z.string());
const golden = z
  .object({ firstSector: z.int(), coreBytes: z.int(), bootCode: bytesByOffset, coreHead: bytesByOffset })
  .parse(JSON.parse(readFileSync("test/golden/boot/grub-bios-setup.json", "utf8")));
const bootImage = readFileSync("/usr/lib/grub/i386-pc/boot.img");
const diskBoot = readFileSync("/usr/lib/grub/i386-pc/diskboot.img");

/** A core as grub-mkimage makes it: its first sector is diskboot.img. */
function core(bytes: number): Buffer {
  const image = Buffer.alloc(bytes, 0x42);
  image.set(diskBoot);
  image.writeBigUInt64LE(2n, 0x1f4);
  image.writeUInt16LE(Math.ceil(bytes / 512) - 1, 0x1fc);
  image.writeUInt16LE(0x820, 0x1fe);
  return image;
}

const sector0 = Buffer.alloc(512);
sector0.write("disk id and table", 440);
sector0.writeUInt16LE(0xaa55, 510);

function changes(from: Buffer, to: Buffer, length: number): Record<string, string> {
  const found: Record<string, string> = {};
  for (let offset = 0; offset < length; offset++) {
    if (from[offset] !== to[offset])
      found[`0x${offset.toString(16)}`] = to[offset]!.toString(16).padStart(2, "0");
  }
  return found;
}

describe("as the real grub-bios-setup", () => {
  test("sector 0 changes the same bytes of boot.img", () => {
    const placed = placeBootImage(bootImage, sector0, golden.firstSector);
    expect(changes(bootImage, placed, 440)).toEqual(golden.bootCode);
  });

  test("the core's first sector changes the same bytes", () => {
    const image = core(golden.coreBytes);
    expect(changes(image, placeCoreImage(image, golden.firstSector), 512)).toEqual(golden.coreHead);
  });
});

test("sectors beyond 2 TiB keep their high bytes", () => {
  const far = 2 ** 33 + 5;
  expect(placeBootImage(bootImage, sector0, far).readBigUInt64LE(0x5c)).toBe(BigInt(far));
  expect(placeCoreImage(core(1024), far).readBigUInt64LE(0x1f4)).toBe(BigInt(far) + 1n);
});

test("disk id and partition table stay", () => {
  const placed = placeBootImage(bootImage, sector0, 2048);
  expect(placed.subarray(440)).toEqual(sector0.subarray(440));
});

test("a core that does not fill its last sector is padded and counted whole", () => {
  const placed = placeCoreImage(core(513), 100);
  expect(placed).toHaveLength(1024);
  expect(placed.readUInt16LE(0x1fc)).toBe(1);
});

describe("refused", () => {
  test("a boot.img without signature", () => {
    expect(() => placeBootImage(Buffer.alloc(512), sector0, 1)).toThrow("boot.img is not a boot sector");
  });
  test("a disk without partition table", () => {
    expect(() => placeBootImage(bootImage, Buffer.alloc(512), 1)).toThrow("no partition table");
  });
  test.each([0, 512, 1024 * 1024 + 1])("a core of %i bytes", (bytes) => {
    expect(() => placeCoreImage(Buffer.alloc(bytes), 1)).toThrow("core.img has");
  });
  test("a core with two block lists", () => {
    const image = core(2048);
    image.writeUInt16LE(1, 0x1e8 + 8);
    expect(() => placeCoreImage(image, 1)).toThrow("several parts");
  });
});
