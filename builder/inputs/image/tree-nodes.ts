import type { RawPath } from "../../rootfs/raw-path.ts";
import type { Entry, EntryType } from "../../rootfs/walk.ts";
import type { MergedTree, TreeNode } from "./merged-tree.ts";

const entryTypes: Record<TreeNode["header"]["type"], EntryType> = {
  file: "file",
  hardlink: "file",
  symlink: "link",
  folder: "folder",
  "character-device": "device",
  "block-device": "device",
  fifo: "fifo",
};

/** A node with its place. The words of a folder on the disk are made when they are asked for: there may be hundreds of thousands. */
export class PlacedNode implements Entry {
  readonly path: RawPath;
  readonly node: TreeNode;

  constructor(path: RawPath, node: TreeNode) {
    this.path = path;
    this.node = node;
  }

  get type(): EntryType {
    return entryTypes[this.node.header.type];
  }

  get sizeBytes(): number {
    return this.node.header.sizeBytes;
  }

  get allocatedBytes(): number {
    return Math.ceil(this.node.header.storedBytes / 4096) * 4096;
  }

  get modifiedAt(): number {
    return this.node.header.modifiedAt;
  }

  get inode(): string {
    const { inode, layer, ordinal } = this.node;
    return inode ? `${inode.layer}:${inode.ordinal}` : `${layer}:${ordinal}:${this.path}`;
  }

  get links(): number {
    return this.node.inode?.links ?? 1;
  }

  get linkTarget(): RawPath {
    return this.node.header.linkTarget;
  }
}

/** All of a tree but its root, sorted by path bytes; links are counted on the way. */
export function placedNodes(tree: MergedTree): PlacedNode[] {
  const found: PlacedNode[] = [];
  const waiting = [new PlacedNode("", tree.root)];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const [name, node] of next.node.children ?? []) {
      const placed = new PlacedNode(next.path === "" ? name : `${next.path}/${name}`, node);
      found.push(placed);
      if (node.inode) node.inode.links += 1;
      if (node.children) waiting.push(placed);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Of sorted nodes, the one at a path. */
export function nodeAt(nodes: readonly PlacedNode[], path: RawPath): PlacedNode | undefined {
  let [from, to] = [0, nodes.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (nodes[middle]!.path < path) from = middle + 1;
    else to = middle;
  }
  return nodes[from]?.path === path ? nodes[from] : undefined;
}
