import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { sha256Hex } from "../../format/digest.ts";
import type { OverlayEntry } from "./overlay.ts";
import { onDisk, type RawPath } from "./raw-path.ts";
import type { Entry } from "./walk.ts";

/** Where the index lies in the target; see docs/conventions.md. */
export const indexPath: RawPath = "usr/lib/dualroot/rootfs.sha256";

const filesAtOnce = 8;
const linesAtOnce = 1000;

/**
 * Digests of all regular files, sorted by path, in the form `sha256sum -c` reads when run in the root folder: two spaces
 * between digest and path; a line whose path needs escapes (newline, backslash) starts with a backslash.
 */
export function indexText(source: ReadonlyMap<RawPath, string>, overlay: readonly OverlayEntry[]): Buffer {
  const digests = new Map(source);
  for (const { path, ...entry } of overlay) {
    if (entry.type !== "file") continue;
    const { content } = entry;
    digests.set(path, "sha256" in content ? content.sha256 : sha256Hex(content));
  }
  const paths = [...digests.keys()].sort();
  const pieces: Buffer[] = [];
  for (let at = 0; at < paths.length; at += linesAtOnce) {
    const lines = paths.slice(at, at + linesAtOnce).map((path) => indexLine(digests.get(path)!, path));
    pieces.push(Buffer.from(lines.join(""), "latin1"));
  }
  return Buffer.concat(pieces);
}

/** SHA-256 by path of regular files in a folder; hard links are read once. */
export async function indexDigests(
  root: string,
  files: readonly Entry[],
  onBytes: (done: number) => void,
): Promise<Map<RawPath, string>> {
  const digests = new Map<RawPath, string>();
  const byInode = new Map<string, Promise<string>>();
  const waiting = [...files];
  let done = 0;
  const worker = async () => {
    for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
      const { path, inode, sizeBytes } = entry;
      let digest = byInode.get(inode);
      if (!digest) {
        digest = digestOf(onDisk(root, path));
        byInode.set(inode, digest);
        done += sizeBytes;
      }
      digests.set(path, await digest);
      onBytes(done);
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, worker));
  return digests;
}

export function indexLine(digest: string, path: RawPath): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `${escaped === path ? "" : "\\"}${digest}  ${escaped}\n`;
}

async function digestOf(path: Buffer): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>)
    hash.update(chunk);
  return hash.digest("hex");
}
