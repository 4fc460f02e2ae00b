import { StepError } from "../../format/errors.ts";

/**
 * Where GRUB's i386-pc images keep disk addresses, and how grub-bios-setup fills them in (GRUB 2.06: util/setup.c,
 * include/grub/offsets.h, include/grub/i386/pc/boot.h). Sectors are 512 bytes, numbers little endian.
 */
const sectorBytes = 512;

/** boot.img: first sector of core.img, 8 bytes. */
const kernelSectorOffset = 0x5c;
/** boot.img: a jump that trusts the BIOS's drive number; two NOPs let it check the number first (buggy BIOSes pass 0 or 1). */
const driveCheckOffset = 0x66;
/** sector 0: from here on (disk signature, partition table, 0x55aa) the medium's own bytes stay. */
const bootCodeBytes = 440;
/** sector 0: a DOS boot sector's parameter block; grub-bios-setup keeps the medium's. */
const parameterBlock = { start: 0x3, end: 0x5a };

/** core.img's first sector (diskboot): block list entry of 8 bytes first sector, 2 bytes count, 2 bytes segment. */
const blockListOffset = 0x1f4;
const previousBlockListOffset = blockListOffset - 12;
/** Second sector of the core lands at segment 0x800 + 512 / 16. */
const coreSegment = 0x820;

/** Half of the 2 MiB BIOS boot partition: the next release's core must fit too. */
export const coreImageMaxBytes = 1024 * 1024;

/** core.img as it must lie on the disk from `firstSector` on: block list filled in, padded to whole sectors. */
export function placeCoreImage(core: Uint8Array, firstSector: number): Buffer {
  if (core.length <= sectorBytes || core.length > coreImageMaxBytes) {
    throw new StepError(
      `core.img has ${core.length} bytes; between 513 and ${coreImageMaxBytes} were expected`,
    );
  }
  const sectors = Math.ceil(core.length / sectorBytes);
  const placed = Buffer.alloc(sectors * sectorBytes);
  placed.set(core);
  if (placed.readUInt16LE(previousBlockListOffset + 8) !== 0) {
    throw new StepError("core.img has a block list of several parts; it was not made by grub-mkimage");
  }
  placed.writeBigUInt64LE(BigInt(firstSector) + 1n, blockListOffset);
  placed.writeUInt16LE(sectors - 1, blockListOffset + 8);
  placed.writeUInt16LE(coreSegment, blockListOffset + 10);
  return placed;
}

/** Sector 0 with GRUB's boot code in front of the partition table that is there. */
export function placeBootImage(bootImage: Uint8Array, sector0: Uint8Array, coreFirstSector: number): Buffer {
  if (bootImage.length !== sectorBytes || bootImage[510] !== 0x55 || bootImage[511] !== 0xaa) {
    throw new StepError("boot.img is not a boot sector of 512 bytes");
  }
  if (sector0.length !== sectorBytes || sector0[510] !== 0x55 || sector0[511] !== 0xaa) {
    throw new StepError("sector 0 of the disk holds no partition table; GRUB's boot code was not written");
  }
  const placed = Buffer.from(sector0);
  placed.set(bootImage.subarray(0, bootCodeBytes));
  placed.set(sector0.subarray(parameterBlock.start, parameterBlock.end), parameterBlock.start);
  placed.writeBigUInt64LE(BigInt(coreFirstSector), kernelSectorOffset);
  placed.writeUInt16LE(0x9090, driveCheckOffset);
  return placed;
}
