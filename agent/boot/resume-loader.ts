import { InternalError, StepError } from "../../format/errors.ts";
import { stashSectorBytes } from "../../format/stash.ts";
import type { ByteRange } from "../plan/step.ts";
import { serialConsole } from "./fill-menu.ts";

/**
 * Built into the resume loader, one reason each; `linux` brings what it needs itself. No filesystem and no partition table:
 * it reads sectors, whatever state the disk is in.
 */
export const loaderModules = [
  "biosdisk", // the disk it was started from
  "linux", // kernel and ramdisk
  "boot",
  "echo", // what a person sees when they cannot be read
  "sleep",
  "reboot",
  "serial", // where the old system had one
  "terminal",
];

export interface LoaderTarget {
  /** One range: GRUB 2.06 cannot read a kernel from several. */
  kernel: ByteRange;
  /** Each becomes an argument of its own, which Linux takes for one image. */
  ramdisk: readonly ByteRange[];
  /** Kernel command line, word by word. */
  words: readonly string[];
  consoles: readonly string[];
}

/** Words that GRUB's parser takes as they are. */
const plainWord = /^[A-Za-z0-9_.,:=/@%+-]+$/;
const triesAgainSeconds = 30;

/** The script inside the loader's core image. Runs line by line in GRUB's rescue parser, which goes on after an error. */
export function loaderScript({ kernel, ramdisk, words, consoles }: LoaderTarget): string {
  const odd = words.find((word) => !plainWord.test(word));
  if (odd !== undefined) throw new InternalError(`"${odd}" cannot stand in the resume loader`);
  const serial = serialConsole(consoles);
  return [
    ...(serial
      ? [`serial --unit=${serial.unit} --speed=${serial.speed}`, "terminal_output console serial"]
      : []),
    "echo dualroot: the conversion of this gateway was interrupted and goes on now.",
    // root is the disk that the BIOS started this loader from.
    `linux ($root)${blockList(kernel)} ${words.join(" ")}`,
    `initrd ${ramdisk.map((range) => `($root)${blockList(range)}`).join(" ")}`,
    "boot",
    `echo dualroot: the ramdisk cannot be read from the disk. Next try in ${triesAgainSeconds} seconds.`,
    `sleep ${triesAgainSeconds}`,
    "reboot",
    "",
  ].join("\n");
}

/** Whole sectors that hold the first `sizeBytes` of the ranges. */
export function sectorsHolding(ranges: readonly ByteRange[], sizeBytes: number): ByteRange[] {
  const held: ByteRange[] = [];
  let left = Math.ceil(sizeBytes / stashSectorBytes) * stashSectorBytes;
  for (const range of ranges) {
    if (left === 0) break;
    const length = Math.min(left, range.sizeBytes);
    held.push({ startBytes: range.startBytes, sizeBytes: length });
    left -= length;
  }
  if (left > 0) throw new StepError(`the ranges are ${left} bytes shorter than what they should hold`);
  return held;
}

function blockList({ startBytes, sizeBytes }: ByteRange): string {
  return `${startBytes / stashSectorBytes}+${sizeBytes / stashSectorBytes}`;
}
