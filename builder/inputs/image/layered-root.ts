import { readFile } from "node:fs/promises";
import { sha256Hex } from "../../../format/digest.ts";
import type { Reporter } from "../../../format/events.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { onDisk, shownPath, type RawPath } from "../../rootfs/raw-path.ts";
import { fillStandIn, layStandIns, linkStandIn } from "../stand-ins.ts";
import type { RootSource } from "../root-source.ts";
import { aclXattr, idsOf } from "../tar/acl-xattr.ts";
import { readTar } from "../tar/read-tar.ts";
import type { Layer } from "./layer.ts";
import type { Inode, MergedTree } from "./merged-tree.ts";
import { packTree } from "./pack-tree.ts";
import { expanded } from "./scan-layers.ts";
import { nodeAt, placedNodes, type PlacedNode } from "./tree-nodes.ts";

export interface LayeredInputs {
  description: string;
  layers: readonly Layer[];
  tree: MergedTree;
  /** Folder for the stand-ins; not there yet. */
  root: string;
  /** Of the sources: changes when their bytes do. */
  identity: string;
  report: Reporter;
}

/** A root filesystem inside tars, never extracted: only names, links and the few files that are looked into lie on this host. */
export async function layeredRoot(inputs: LayeredInputs): Promise<RootSource> {
  const { tree, layers, root } = inputs;
  const nodes = placedNodes(tree);
  const fetched = new Set<Inode>();
  await layStandIns(root, nodes);
  const fetch = async (wanted: (path: RawPath) => boolean): Promise<void> => {
    const inodes = new Set<Inode>();
    for (const { path, node } of nodes)
      if (node.inode && !fetched.has(node.inode) && wanted(path)) inodes.add(node.inode);
    for (const inode of inodes) fetched.add(inode);
    await fetchFiles(inputs, namesOf(nodes, inodes));
  };
  const turned = await turnAclsIntoXattrs(nodes, async (name) => {
    await fetch((path) => path === name);
    return nodeAt(nodes, name)?.node.inode ? await readFile(onDisk(root, name), "utf8") : "";
  });
  if (turned > 0)
    inputs.report({
      kind: "detail",
      message: `ACLs of ${turned} entries are given in words; written as xattrs`,
    });
  return {
    description: inputs.description,
    root,
    entries: nodes,
    fetch,
    digests: async (files) => {
      const found = new Map<RawPath, string>();
      for (const { path } of files) {
        const inode = nodeAt(nodes, path)?.node.inode;
        if (inode) found.set(path, inode.sha256);
      }
      return found;
    },
    archive: (kept, { sourceDateEpoch }) =>
      packTree({
        layers,
        root: tree.root,
        nodes: kept.map(({ path }) => nodeAt(nodes, path)!),
        sourceDateEpoch,
      }),
    labels: async () => ({
      looked: nodes.length,
      labelled: nodes.filter(({ node }) => node.header.xattrs.has("security.selinux")).length,
    }),
    close: async () => {},
    stamp: async (kept) => sha256Hex([inputs.identity, ...kept.map(({ path }) => path)].join("\0")),
  };
}

/** One pass over the layers, as far as is needed. A file gets all its names at once. */
async function fetchFiles(
  { root, layers }: LayeredInputs,
  waiting: Map<string, readonly RawPath[]>,
): Promise<void> {
  for (const [layer, { open, mayLackEnd }] of layers.entries()) {
    const here = () => [...waiting.keys()].some((key) => key.startsWith(`${layer}:`));
    if (!here()) continue;
    const reader = new ByteReader(open());
    try {
      let ordinal = -1;
      for await (const { header, content } of readTar(reader, { mayLackEnd })) {
        const key = `${layer}:${++ordinal}`;
        const [first, ...others] = waiting.get(key) ?? [];
        if (first === undefined) continue;
        waiting.delete(key);
        await fillStandIn(root, first, expanded(header, content));
        for (const path of others) await linkStandIn(root, path, first);
        if (!here()) break;
      }
    } finally {
      await reader.close();
    }
  }
}

function inodeKey({ layer, ordinal }: Inode): string {
  return `${layer}:${ordinal}`;
}

function namesOf(nodes: readonly PlacedNode[], wanted: ReadonlySet<Inode>): Map<string, RawPath[]> {
  const names = new Map<string, RawPath[]>();
  for (const { path, node } of nodes) {
    if (!node.inode || !wanted.has(node.inode)) continue;
    const key = inodeKey(node.inode);
    const known = names.get(key);
    if (known) known.push(path);
    else names.set(key, [path]);
  }
  return names;
}

/** ACLs in tar's own words would be lost: the package is extracted without --acls. Gives how many there were. */
async function turnAclsIntoXattrs(
  nodes: readonly PlacedNode[],
  textOf: (path: RawPath) => Promise<string>,
): Promise<number> {
  const found = nodes.filter(({ node: { header } }) => header.acls.access ?? header.acls.default);
  if (found.length === 0) return 0;
  const ids = { user: idsOf(await textOf("etc/passwd")), group: idsOf(await textOf("etc/group")) };
  for (const { path, node } of found) {
    const { acls, xattrs } = node.header;
    const added = new Map(xattrs);
    for (const kind of ["access", "default"] as const) {
      const text = acls[kind];
      if (text !== undefined && !added.has(`system.posix_acl_${kind}`))
        added.set(`system.posix_acl_${kind}`, aclXattr(text, shownPath(path), ids));
    }
    node.header = { ...node.header, xattrs: added };
    if (node.inode) node.inode.header = node.header;
  }
  return found.length;
}
