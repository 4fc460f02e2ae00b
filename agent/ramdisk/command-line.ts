import { userError } from "../../format/errors.ts";

/** What the words `dualroot.…` of the kernel command line say; see docs/conventions.md. */
export interface RamdiskWords {
  mode: string;
  /** Where stash.json is: filesystem and folder on it. */
  stash?: { filesystemUuid: string; folder: string };
  stashSha256?: string;
  /** Everything up to the first write, then report and back. */
  rehearse: boolean;
}

export function parseCommandLine(text: string): RamdiskWords {
  const words = new Map<string, string>();
  for (const word of text.trim().split(/\s+/)) {
    const match = /^dualroot\.([a-z0-9_]+)(?:=(.*))?$/.exec(word);
    if (match) words.set(match[1]!, match[2] ?? "");
  }
  const stash = parseStash(words.get("stash"));
  const stashSha256 = words.get("stash_sha256");
  return {
    mode: words.get("mode") ?? "rescue",
    ...(stash ? { stash } : {}),
    ...(stashSha256 ? { stashSha256 } : {}),
    rehearse: words.get("rehearse") === "1",
  };
}

function parseStash(text: string | undefined): RamdiskWords["stash"] {
  if (text === undefined) return undefined;
  const match = /^([0-9A-Za-z-]{1,64}):(\/.*)$/.exec(text);
  if (match && !match[2]!.split("/").includes("..")) return { filesystemUuid: match[1]!, folder: match[2]! };
  throw userError({
    code: "stash-word-invalid",
    message: `dualroot.stash=${text} on the kernel command line is not FILESYSTEM-UUID:/FOLDER.`,
    hint: "Start the conversion with upgrade.sh, which writes it.",
  });
}
