import { MiB } from "../../format/sizes.ts";

/*
 * Measured by `npm run bench stage2` (1 GiB, two processors, kernel 6.1): at its peak, while it unpacks, the ramdisk had 376 MiB in
 * use: 133 of the package, 78 of its own files (the 27 of the drivers are given back before), 68 of kernel and agent, and 97
 * of the decoder's threads, tar, and what is on its way to the disk. xz takes fewer threads where less is free.
 */

/** To unpack and to make the disk, beside what is in use already when the ramdisk checks. */
export const workingBytes = 128 * MiB;

/** Kernel and agent, before any work. */
export const idleBytes = 72 * MiB;
