import { createHash } from "node:crypto";
import { UserError, userError, type Problem } from "../../../format/errors.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { keepHeapSmall } from "../../system/small-heap.ts";
import { readTar } from "../tar/read-tar.ts";
import type { TarEntry } from "../tar/tar-header.ts";
import type { Layer } from "./layer.ts";
import { MergedTree } from "./merged-tree.ts";

const shownProblems = 20;
const mostEntries = 4_000_000;
const zeros = Buffer.alloc(1024 * 1024);

/** One pass over all layers: the tree they give, with the digest of every file; nothing is extracted. Throws all problems at once. */
export async function scanLayers(
  layers: readonly Layer[],
  options: { whiteouts: boolean },
): Promise<MergedTree> {
  keepHeapSmall("file");
  const tree = new MergedTree(options);
  const problems: Problem[] = [];
  let entries = 0;
  for (const layer of layers) {
    tree.startLayer();
    const reader = new ByteReader(layer.open());
    try {
      for await (const entry of readTar(reader, layer)) {
        if (++entries > mostEntries)
          throw userError({
            code: "rootfs-too-many-entries",
            message: `the root filesystem has more than ${mostEntries} entries`,
            hint: "Leave out what does not belong to the system.",
          });
        const added = tree.add(entry.header);
        if ("problem" in added) {
          problems.push(added.problem);
          if (problems.length >= shownProblems) break;
        } else if (added.inode) added.inode.sha256 = await contentDigest(entry);
      }
      // The decompressor must reach its end, so that its own checksum is checked and it does not die of a closed pipe.
      while (problems.length === 0 && (await reader.skip(zeros.length)));
    } finally {
      await reader.close();
    }
    if (problems.length > 0) throw new UserError(problems);
  }
  return tree;
}

/** SHA-256 of a file as it will be read, holes as zeros. */
async function contentDigest({ header, content }: TarEntry): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of expanded(header, content)) hash.update(piece);
  return hash.digest("hex");
}

/** A file's bytes with its holes filled. */
export async function* expanded(
  header: TarEntry["header"],
  content: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  if (!header.runs) {
    yield* content;
    return;
  }
  let [next, at, left] = [0, 0, 0];
  for await (const chunk of content) {
    for (let rest = chunk; rest.length > 0;) {
      if (left === 0) {
        const run = header.runs[next++]!;
        yield* zeroBytes(run.offset - at);
        [at, left] = [run.offset, run.bytes];
      }
      const part = rest.subarray(0, left);
      yield part;
      at += part.length;
      left -= part.length;
      rest = rest.subarray(part.length);
    }
  }
  yield* zeroBytes(header.sizeBytes - at);
}

function* zeroBytes(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= zeros.length) yield zeros.subarray(0, left);
}
