import { userError } from "../../format/errors.ts";
import { stashSectorBytes } from "../../format/stash.ts";
import { hasRootWord } from "../boot-slot/root-words.ts";
import type { ByteRange } from "../plan/step.ts";

/** What the words `dualroot.…` of the kernel command line say; see docs/conventions.md and docs/power.md. */
export interface RamdiskWords {
  mode: string;
  /** Where stash.json is: filesystem and folder on it. */
  stash?: { filesystemUuid: string; folder: string };
  stashSha256?: string;
  /** Disk mode: where stash.json lies on the disk. */
  stashAt?: ByteRange;
  /** Everything up to the first write, then report and back. */
  rehearse: boolean;
  /** Started by the resume loader: the disk is being changed, there is no old system to go back to. */
  resume: boolean;
  /** With resume: byte of the disk where the resume record lies. */
  recordAt?: number;
  /** With resume: the archive of the old system in the stash is complete. */
  oldSystem?: { sizeBytes: number; sha256: string };
  /** Safeguards to leave out, by name: tests only (agent/system/safeguards.ts). */
  without: string[];
}

export function parseCommandLine(text: string): RamdiskWords {
  const words = new Map<string, string>();
  for (const word of text.trim().split(/\s+/)) {
    const match = /^dualroot\.([a-z0-9_]+)(?:=(.*))?$/.exec(word);
    if (match) words.set(match[1]!, match[2] ?? "");
  }
  const parsed = <T>(name: string, form: string, parse: (word: string) => T | undefined): T | undefined => {
    const word = words.get(name);
    if (word === undefined) return undefined;
    const value = parse(word);
    if (value === undefined) throw invalid(name, word, form);
    return value;
  };
  const stash = parsed("stash", "FILESYSTEM-UUID:/FOLDER", parseFolder);
  const stashAt = parsed("stash_at", "SECTOR+COUNT", parseSectors);
  const recordAt = parsed("record_at", "SECTOR", parseSector);
  const oldSystem = parsed("old_system", "BYTES:SHA256", parseDigest);
  const stashSha256 = words.get("stash_sha256");
  return {
    // Typed at a GRUB prompt, root= alone says what is wanted.
    mode: words.get("mode") ?? (hasRootWord(text) ? "boot" : "rescue"),
    ...(stash ? { stash } : {}),
    ...(stashSha256 ? { stashSha256 } : {}),
    ...(stashAt ? { stashAt } : {}),
    rehearse: words.get("rehearse") === "1",
    resume: words.get("resume") === "1",
    ...(recordAt === undefined ? {} : { recordAt }),
    ...(oldSystem ? { oldSystem } : {}),
    without: (words.get("without") ?? "").split(",").filter((name) => name !== ""),
  };
}

function parseFolder(text: string): RamdiskWords["stash"] {
  const match = /^([0-9A-Za-z-]{1,64}):(\/.*)$/.exec(text);
  if (!match || match[2]!.split("/").includes("..")) return undefined;
  return { filesystemUuid: match[1]!, folder: match[2]! };
}

/** At most 1 MiB: it is read from every disk. */
function parseSectors(text: string): ByteRange | undefined {
  const match = /^(\d{1,12})\+(\d{1,4})$/.exec(text);
  const count = Number(match?.[2]);
  if (!match || count < 1 || count > 2048) return undefined;
  return { startBytes: Number(match[1]) * stashSectorBytes, sizeBytes: count * stashSectorBytes };
}

function parseSector(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) * stashSectorBytes : undefined;
}

function parseDigest(text: string): RamdiskWords["oldSystem"] {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  return match ? { sizeBytes: Number(match[1]), sha256: match[2]! } : undefined;
}

function invalid(name: string, word: string, form: string): Error {
  return userError({
    code: "stash-word-invalid",
    message: `dualroot.${name}=${word} on the kernel command line is not ${form}.`,
    hint: "Start the conversion with upgrade.sh, which writes it.",
  });
}
