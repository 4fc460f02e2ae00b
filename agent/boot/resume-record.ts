import { crc32 } from "../../format/crc32.ts";
import { stashSectorBytes } from "../../format/stash.ts";

/** How often stage 2 has started since the point of no return, and how often it failed. Kept on the disk, in one sector. */
export interface ResumeRecord {
  starts: number;
  failures: number;
  /** Why it failed last, one line. */
  lastFailure?: string;
}

/** A step that failed three times in runs from the top will fail again. */
export const failuresAtMost = 3;
/** Power cuts raise this one; a machine that needs more has another trouble. */
export const startsAtMost = 50;

const title = "dualroot resume record";
const reasonLength = 300;

/** One sector: text, a checksum of the text, zero bytes. Characters a console could take amiss become `?`. */
export function encodeResumeRecord({ starts, failures, lastFailure }: ResumeRecord): Buffer {
  const reason = lastFailure?.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, reasonLength);
  const lines = [title, `starts ${starts}`, `failures ${failures}`, ...(reason ? [`reason ${reason}`] : [])];
  const text = `${lines.join("\n")}\n`;
  const sector = Buffer.alloc(stashSectorBytes);
  sector.write(`${text}crc32 ${checksum(text)}\n`, "latin1");
  return sector;
}

/** undefined: the sector holds no whole record. */
export function parseResumeRecord(sector: Uint8Array): ResumeRecord | undefined {
  const text = Buffer.from(sector.subarray(0, stashSectorBytes)).toString("latin1");
  const match =
    /^(dualroot resume record\nstarts (\d{1,6})\nfailures (\d{1,6})\n(?:reason ([\x20-\x7e]{1,300})\n)?)crc32 ([0-9a-f]{8})\n\0*$/.exec(
      text,
    );
  if (!match || checksum(match[1]!) !== match[5]) return undefined;
  const lastFailure = match[4];
  return {
    starts: Number(match[2]),
    failures: Number(match[3]),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  };
}

/** Why the ramdisk must not try again, or undefined. */
export function whyGiveUp({ starts, failures, lastFailure }: ResumeRecord): string | undefined {
  if (failures >= failuresAtMost)
    return `The conversion failed ${failures} times${lastFailure ? `, the last time because: ${lastFailure}` : "."}`;
  if (starts > startsAtMost) return `The conversion was started ${starts} times and never came to its end.`;
  return undefined;
}

function checksum(text: string): string {
  return crc32(Buffer.from(text, "latin1")).toString(16).padStart(8, "0");
}
