import type { RawPath } from "../../rootfs/raw-path.ts";
import type { Entry, EntryType } from "../../rootfs/walk.ts";
import type { Inode, MergedTree, TreeNode } from "./merged-tree.ts";

export interface PlacedNode {
  path: RawPath;
  node: TreeNode;
}

const entryTypes: Record<TreeNode["header"]["type"], EntryType> = {
  file: "file",
  hardlink: "file",
  symlink: "link",
  folder: "folder",
  "character-device": "device",
  "block-device": "device",
  fifo: "fifo",
};

/** All of a tree but its root, sorted by path bytes. */
export function placedNodes(tree: MergedTree): PlacedNode[] {
  const found: PlacedNode[] = [];
  const waiting: PlacedNode[] = [{ path: "", node: tree.root }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const [name, node] of next.node.children ?? []) {
      const placed = { path: next.path === "" ? name : `${next.path}/${name}`, node };
      found.push(placed);
      if (node.children) waiting.push(placed);
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The same words as for a folder on the disk. */
export function entriesOf(nodes: readonly PlacedNode[]): Entry[] {
  const links = new Map<Inode, number>();
  for (const { node } of nodes) if (node.inode) links.set(node.inode, (links.get(node.inode) ?? 0) + 1);
  return nodes.map(({ path, node }) => {
    const { header, inode } = node;
    return {
      path,
      type: entryTypes[header.type],
      sizeBytes: header.sizeBytes,
      allocatedBytes: Math.ceil(header.storedBytes / 4096) * 4096,
      modifiedAt: header.modifiedAt,
      inode: inode ? `${inode.layer}:${inode.ordinal}` : `${node.layer}:${node.ordinal}:${path}`,
      links: inode ? links.get(inode)! : 1,
    };
  });
}
