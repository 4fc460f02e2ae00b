import { InternalError } from "../../../format/errors.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import { readTar } from "../tar/read-tar.ts";
import { endOfTar, paddingOf, tarHeaderBlocks } from "../tar/write-tar.ts";
import type { Layer } from "./layer.ts";
import type { NodeHeader, TreeNode } from "./merged-tree.ts";
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
  const waiting = inOrderOfLayers(nodes);
  let next = 0;
  const headerOf = (header: NodeHeader, path: RawPath): Buffer =>
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
  for (const [layer, { open, mayLackEnd }] of layers.entries()) {
    const reader = new ByteReader(open());
    try {
      let ordinal = -1;
      for await (const { content } of readTar(reader, { mayLackEnd })) {
        ordinal += 1;
        const brought: PlacedNode[] = [];
        while (next < waiting.length && isBroughtBy(waiting[next]!, layer, ordinal))
          brought.push(waiting[next++]!);
        for (const { path, node } of brought)
          if (!node.inode) yield counted(headerOf(node.header, node.children ? `./${path}/` : `./${path}`));
        const [first, ...others] = brought.filter(({ node }) => node.inode);
        if (!first) continue;
        const { header } = first.node.inode!;
        yield counted(headerOf(header, `./${first.path}`));
        for await (const chunk of content) yield counted(chunk);
        yield counted(paddingOf(header.storedBytes));
        for (const { path } of others)
          yield counted(headerOf(linkTo(header, `./${first.path}`), `./${path}`));
      }
      while (await reader.skip(1024 * 1024));
    } finally {
      await reader.close();
    }
  }
  const missing = waiting.length - next;
  if (missing > 0) throw new InternalError(`${missing} entries of the source were not met again`);
  yield endOfTar(bytes);
}

/** As the entries that bring them come by; what one entry brings stays in path order. */
function inOrderOfLayers(nodes: readonly PlacedNode[]): PlacedNode[] {
  return nodes.toSorted((a, b) => {
    const [left, right] = [a.node.inode ?? a.node, b.node.inode ?? b.node];
    return left.layer - right.layer || left.ordinal - right.ordinal;
  });
}

function isBroughtBy({ node }: PlacedNode, layer: number, ordinal: number): boolean {
  const place = node.inode ?? node;
  return place.layer === layer && place.ordinal === ordinal;
}

/** A link carries its file's metadata as GNU tar writes it, but neither content nor attributes. */
function linkTo(header: NodeHeader, target: RawPath): NodeHeader {
  const { runs: _, ...rest } = header;
  return { ...rest, type: "hardlink", linkTarget: target, storedBytes: 0, sizeBytes: 0, xattrs: new Map() };
}
