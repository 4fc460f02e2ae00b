import { createWriteStream } from "node:fs";
import { link, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sha256Hex } from "../../../format/digest.ts";
import type { Reporter } from "../../../format/events.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { onDisk, shownPath, type RawPath } from "../../rootfs/raw-path.ts";
import { normalisedPath } from "../archive-path.ts";
import type { RootSource } from "../root-source.ts";
import { aclXattr, idsOf } from "../tar/acl-xattr.ts";
import { readTar } from "../tar/read-tar.ts";
import type { Layer } from "./layer.ts";
import type { Inode, MergedTree } from "./merged-tree.ts";
import { packTree } from "./pack-tree.ts";
import { expanded } from "./scan-layers.ts";
import { entriesOf, placedNodes, type PlacedNode } from "./tree-nodes.ts";

/** Files whose presence says something about the system: stand-ins are made for them. */
const standIns = /^(?:(?:usr\/)?(?:s?bin|lib|lib64)|etc|boot)\//;

export interface LayeredInputs {
  description: string;
  layers: readonly Layer[];
  tree: MergedTree;
  /** Folder for the stand-ins; not there yet. */
  root: string;
  /** Of the sources: changes when their bytes do. */
  identity: string;
  /** Ends whatever the layers are read from. */
  close?: () => Promise<void>;
  report: Reporter;
}

/** A root filesystem inside tars, never extracted: only names, links and the few files that are looked into lie on this host. */
export async function layeredRoot(inputs: LayeredInputs): Promise<RootSource> {
  const { tree, layers, root } = inputs;
  const nodes = placedNodes(tree);
  const byPath = new Map(nodes.map((placed) => [placed.path, placed]));
  const names = namesOf(nodes);
  const fetched = new Set<Inode>();
  await layStandIns(root, nodes);
  const fetch = async (wanted: (path: RawPath) => boolean): Promise<void> => {
    const inodes = nodes.flatMap(({ path, node }) =>
      node.inode && !fetched.has(node.inode) && wanted(path) ? [node.inode] : [],
    );
    for (const inode of inodes) fetched.add(inode);
    await fetchFiles(inputs, new Map(inodes.map((inode) => [inodeKey(inode), names.get(inodeKey(inode))!])));
  };
  const turned = await turnAclsIntoXattrs(nodes, async (name) => {
    await fetch((path) => path === name);
    return byPath.get(name)?.node.inode ? await readFile(onDisk(root, name), "utf8") : "";
  });
  if (turned > 0)
    inputs.report({
      kind: "detail",
      message: `ACLs of ${turned} entries are given in words; written as xattrs`,
    });
  return {
    description: inputs.description,
    root,
    entries: entriesOf(nodes),
    fetch,
    digests: async (files) => {
      const found = new Map<RawPath, string>();
      for (const { path } of files) {
        const sha256 = byPath.get(path)?.node.inode?.sha256;
        if (sha256 !== undefined) found.set(path, sha256);
      }
      return found;
    },
    archive: (kept, { sourceDateEpoch }) =>
      packTree({
        layers,
        root: tree.root,
        nodes: kept.map(({ path }) => byPath.get(path)!),
        sourceDateEpoch,
      }),
    labels: async () => ({
      looked: nodes.length,
      labelled: nodes.filter(({ node }) => (node.inode ?? node).header.xattrs.has("security.selinux")).length,
    }),
    close: inputs.close ?? (async () => {}),
    stamp: async (kept) => sha256Hex([inputs.identity, ...kept.map(({ path }) => path)].join("\0")),
  };
}

/** Folders, links and empty files. All paths are the tree's, so that no link can lead a write away. */
async function layStandIns(root: string, nodes: readonly PlacedNode[]): Promise<void> {
  await mkdir(root, { mode: 0o700 });
  for (const { path, node } of nodes) {
    const place = onDisk(root, path);
    if (node.children) await mkdir(place, { mode: 0o700 });
    else if (node.header.type === "symlink")
      await symlink(Buffer.from(node.header.linkTarget, "latin1"), place);
    else if (node.inode && standIns.test(path)) await writeFile(place, "", { flag: "wx" });
  }
}

/** One pass over the layers, as far as is needed. A file gets all its names at once. */
async function fetchFiles(
  { root, layers }: LayeredInputs,
  waiting: Map<string, readonly RawPath[]>,
): Promise<void> {
  for (const [layer, { open, openFiles, mayLackEnd }] of layers.entries()) {
    const here = () => [...waiting.keys()].some((key) => key.startsWith(`${layer}:`));
    if (!here()) continue;
    const byName = new Map([...waiting].map(([key, [first]]) => [first, key]));
    const reader = new ByteReader(openFiles ? openFiles([...byName.keys()] as RawPath[]) : open());
    try {
      let ordinal = -1;
      for await (const { header, content } of readTar(reader, { mayLackEnd })) {
        ordinal += 1;
        const key = openFiles ? (byName.get(normalisedPath(header.path)) ?? "") : `${layer}:${ordinal}`;
        const [first, ...others] = waiting.get(key) ?? [];
        if (first === undefined) continue;
        waiting.delete(key);
        const target = createWriteStream(onDisk(root, first));
        await pipeline(Readable.from(expanded(header, content), { objectMode: false }), target);
        for (const path of others) {
          await rm(onDisk(root, path), { force: true });
          await link(onDisk(root, first), onDisk(root, path));
        }
        if (!here() && !openFiles) break;
      }
      if (openFiles) while (await reader.skip(1024 * 1024));
    } finally {
      await reader.close();
    }
  }
}

function inodeKey({ layer, ordinal }: Inode): string {
  return `${layer}:${ordinal}`;
}

function namesOf(nodes: readonly PlacedNode[]): Map<string, RawPath[]> {
  const names = new Map<string, RawPath[]>();
  for (const { path, node } of nodes) {
    if (!node.inode) continue;
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
