import { MiB } from "../../format/sizes.ts";

/** Decoders, LVM and tar beside the running agent, whose own memory is in use already when the ramdisk checks. */
export const workingBytes = 96 * MiB;
