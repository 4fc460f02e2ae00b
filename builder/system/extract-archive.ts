import { spawn } from "node:child_process";
import { once } from "node:events";
import { tarExtractOptions } from "../../agent/system/tar-options.ts";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import type { Compression } from "../rootfs/archive-format.ts";
import { decompressed } from "./decompress.ts";
import { drained } from "./drained.ts";

export interface ExtractInputs {
  source: string;
  compression: Compression;
  /** The archive has ACLs in tar's own words. */
  acls: boolean;
  /** Empty. */
  folder: string;
}

/**
 * GNU tar extracts a whole archive into an empty folder. Its `--acls` takes away ACLs that an archive gives as xattrs, and
 * without it those in tar's own words are lost: so it is asked for only where the archive has the latter.
 */
export async function extractArchive(
  { source, compression, acls, folder }: ExtractInputs,
  report: Reporter,
): Promise<void> {
  const args = [...tarExtractOptions, ...(acls ? ["--acls"] : []), "--directory", folder, "--file", "-"];
  report({ kind: "detail", message: `$ tar ${args.join(" ")} < ${source}` });
  const child = spawn("tar", args, {
    stdio: ["pipe", "ignore", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-2000)));
  child.stdin.on("error", () => {
    // tar's exit code says why it stopped reading.
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  ended.catch(() => {});
  try {
    for await (const chunk of decompressed(source, compression)) {
      if (child.exitCode !== null) break;
      if (!child.stdin.write(chunk)) await drained(child.stdin, ended);
    }
    child.stdin.end();
    const [exitCode] = await ended;
    if (exitCode !== 0)
      throw new StepError(`tar cannot extract ${source}`, {
        command: `tar ${args.join(" ")}`,
        stderrTail: stderr,
      });
  } finally {
    child.kill();
  }
}
