import { InternalError } from "../../../format/errors.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import { readTar } from "../tar/read-tar.ts";
import type { TarHeader } from "../tar/tar-header.ts";
import { endOfTar, paddingOf, tarHeaderBlocks } from "../tar/write-tar.ts";
import type { Layer } from "./layer.ts";
import type { Inode, TreeNode } from "./merged-tree.ts";
import type { PlacedNode } from "./tree-nodes.ts";

interface Inputs {
  layers: readonly Layer[];
  root: TreeNode;
  /** What is packed, sorted by path. */
  nodes: readonly PlacedNode[];
  /** Later times are set back to it. */
  sourceDateEpoch: number;
}

/** A tar of a merged tree with its end, in the order of the layers, made in one pass over them: everything a file has, bit for bit. */
export async function* packTree({ layers, root, nodes, sourceDateEpoch }: Inputs): AsyncGenerator<Buffer> {
  const { singles, files } = placesOf(nodes);
  const headerOf = (header: TarHeader, path: RawPath): Buffer =>
    tarHeaderBlocks(
      { ...header, path, modifiedAt: Math.min(header.modifiedAt, sourceDateEpoch) },
      sourceDateEpoch,
    );
  let bytes = 0;
  const counted = (block: Buffer): Buffer => {
    bytes += block.length;
    return block;
  };
  yield counted(headerOf(root.header, "./"));
  let missing = files.size;
  for (const [layer, { open, mayLackEnd }] of layers.entries()) {
    const reader = new ByteReader(open());
    try {
      let ordinal = -1;
      for await (const { content } of readTar(reader, { mayLackEnd })) {
        ordinal += 1;
        const key = `${layer}:${ordinal}`;
        for (const { path, node } of singles.get(key) ?? [])
          yield counted(headerOf(node.header, node.children ? `./${path}/` : `./${path}`));
        const file = files.get(key);
        if (!file) continue;
        const [first, ...others] = file.paths as [RawPath, ...RawPath[]];
        yield counted(headerOf(file.inode.header, `./${first}`));
        for await (const chunk of content) yield counted(chunk);
        yield counted(paddingOf(file.inode.header.storedBytes));
        for (const path of others)
          yield counted(headerOf(linkTo(file.inode.header, `./${first}`), `./${path}`));
        missing -= 1;
      }
      while (await reader.skip(1024 * 1024));
    } finally {
      await reader.close();
    }
  }
  if (missing > 0) throw new InternalError(`${missing} files of the source were not met again`);
  yield endOfTar(bytes);
}

/** Which entry of which layer brings what: files with all their names, and everything else. */
function placesOf(nodes: readonly PlacedNode[]) {
  const singles = new Map<string, PlacedNode[]>();
  const files = new Map<string, { inode: Inode; paths: RawPath[] }>();
  for (const placed of nodes) {
    const { inode } = placed.node;
    const key = inode ? `${inode.layer}:${inode.ordinal}` : `${placed.node.layer}:${placed.node.ordinal}`;
    if (inode) {
      const file = files.get(key) ?? { inode, paths: [] };
      file.paths.push(placed.path);
      files.set(key, file);
    } else singles.set(key, [...(singles.get(key) ?? []), placed]);
  }
  return { singles, files };
}

/** A link carries its file's metadata as GNU tar writes it, but neither content nor attributes. */
function linkTo(header: TarHeader, target: RawPath): TarHeader {
  const { runs: _, ...rest } = header;
  return { ...rest, type: "hardlink", linkTarget: target, storedBytes: 0, sizeBytes: 0, xattrs: new Map() };
}
