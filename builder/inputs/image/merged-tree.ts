import type { RawPath } from "../../rootfs/raw-path.ts";
import { normalisedPath, pathProblem } from "../archive-path.ts";
import type { TarHeader } from "../tar/tar-header.ts";
import type { Problem } from "../../../format/errors.ts";

/** What is kept of an entry: where it is in the tree is its path. There may be hundreds of thousands. */
export type NodeHeader = Omit<TarHeader, "path">;

/** One file's content: where it is, and all names that live on. */
export interface Inode {
  layer: number;
  /** Which entry of its layer. */
  ordinal: number;
  header: NodeHeader;
  /** How many names live on; counted when the tree is done. */
  links: number;
  /** Of a file as it will be read; "" until it was. */
  sha256: string;
}

/** Something in the tree. A class, so that none has room for more than its fields. */
export class TreeNode {
  /** Where it came first. */
  readonly layer: number;
  readonly ordinal: number;
  /** Which layer said so last. */
  setBy: number;
  header: NodeHeader;
  /** Of files. */
  readonly inode: Inode | undefined;
  /** Of folders. */
  readonly children: Map<RawPath, TreeNode> | undefined;

  constructor(
    layer: number,
    ordinal: number,
    header: NodeHeader,
    content: { inode?: Inode | undefined; children?: Map<RawPath, TreeNode> } = {},
  ) {
    this.layer = layer;
    this.ordinal = ordinal;
    this.setBy = layer;
    this.header = header;
    this.inode = content.inode;
    this.children = content.children;
  }
}

const mostLinks = 40;
const whiteout = ".wh.";
const opaqueMarker = ".wh..wh..opq";

/**
 * The tree that several tars give when one is laid over the other, without anything being extracted. Whiteouts are those of
 * OCI layers: `.wh.NAME` hides NAME of the layers below, `.wh..wh..opq` all that they have in that folder.
 */
export class MergedTree {
  readonly root: TreeNode = folderNode(0, -1);
  #layer = -1;
  #ordinal = -1;
  readonly #whiteouts: boolean;

  constructor(options: { whiteouts: boolean }) {
    this.#whiteouts = options.whiteouts;
  }

  startLayer(): void {
    this.#layer += 1;
    this.#ordinal = -1;
  }

  /** Gives the inode whose content this entry has, for its digest; or why the entry cannot be taken. */
  add(given: TarHeader): { inode?: Inode } | { problem: Problem } {
    this.#ordinal += 1;
    const path = normalisedPath(given.path);
    const problem = pathProblem(given.path) ?? this.#problemBehindLink(given.path, path);
    if (problem) return { problem };
    const header = keptOf(given);
    if (path === "") return this.#addRoot(header);
    const name = lastName(path);
    if (this.#whiteouts && name.startsWith(whiteout)) {
      this.#hide(
        this.#folderOf(path, () => undefined),
        name,
      );
      return {};
    }
    const parent = this.#folderOf(path, () => folderNode(this.#layer, this.#ordinal))!;
    if (header.type === "folder") {
      const before = parent.children!.get(name);
      if (before?.children) Object.assign(before, { header, setBy: this.#layer });
      else parent.children!.set(name, this.#node(header, { children: new Map() }));
      return {};
    }
    if (header.type === "hardlink") return this.#addLink(parent, name, given);
    const [layer, ordinal] = [this.#layer, this.#ordinal];
    const inode = header.type === "file" ? { layer, ordinal, header, links: 0, sha256: "" } : undefined;
    parent.children!.set(name, this.#node(header, { inode }));
    return inode ? { inode } : {};
  }

  #addRoot(header: NodeHeader): { inode?: Inode } {
    if (header.type === "folder") Object.assign(this.root, { header, setBy: this.#layer });
    return {};
  }

  #addLink(parent: TreeNode, name: RawPath, header: TarHeader): { problem: Problem } | { inode?: Inode } {
    const target = this.find(normalisedPath(header.linkTarget));
    const problem = pathProblem(header.linkTarget);
    if (problem) return { problem };
    if (!target || target.children) {
      const shown = (path: string) => JSON.stringify(Buffer.from(path, "latin1").toString("utf8"));
      return {
        problem: {
          code: "rootfs-link-dangling",
          message: `the archive entry ${shown(header.path)} is a hard link to ${shown(header.linkTarget)}, which is not there`,
          hint: "The archive is damaged, or only a part of one; make it again.",
        },
      };
    }
    parent.children!.set(name, this.#node(target.header, { inode: target.inode }));
    return {};
  }

  /** The node at a clean path; no links are followed. */
  find(path: RawPath): TreeNode | undefined {
    let node: TreeNode | undefined = this.root;
    for (const part of path.split("/").filter(Boolean)) node = node?.children?.get(part);
    return node;
  }

  #node(header: NodeHeader, content: ConstructorParameters<typeof TreeNode>[3]): TreeNode {
    return new TreeNode(this.#layer, this.#ordinal, header, content);
  }

  /**
   * The folder an entry goes to. Links of lower layers are followed as container engines do, inside the tree; `make` gives what
   * is laid where there is nothing, or a file in the way: without it there is no such folder.
   */
  #folderOf(path: RawPath, make: () => TreeNode | undefined): TreeNode | undefined {
    let waiting = path.split("/").slice(0, -1);
    const way: TreeNode[] = [this.root];
    for (let links = 0; waiting.length > 0;) {
      const [name, ...rest] = waiting as [string, ...string[]];
      waiting = rest;
      if (name === "..") {
        if (way.length > 1) way.pop();
        continue;
      }
      const here = way.at(-1)!;
      const next = here.children!.get(name);
      if (next?.header.type === "symlink" && links < mostLinks) {
        links += 1;
        if (next.header.linkTarget.startsWith("/")) way.length = 1;
        waiting = [
          ...next.header.linkTarget.split("/").filter((part) => part !== "" && part !== "."),
          ...rest,
        ];
        continue;
      }
      if (next?.children) way.push(next);
      else {
        const made = make();
        if (!made) return undefined;
        here.children!.set(name, made);
        way.push(made);
      }
    }
    return way.at(-1)!;
  }

  /** Within one layer a path through a link is an attack or an accident, never what an archiver writes. */
  #problemBehindLink(given: string, path: RawPath): Problem | undefined {
    let node: TreeNode | undefined = this.root;
    const parts = path.split("/");
    for (const [index, part] of parts.slice(0, -1).entries()) {
      node = node.children?.get(part);
      if (!node) return undefined;
      if (node.header.type === "symlink" && node.setBy === this.#layer)
        return behindLink(given, parts.slice(0, index + 1).join("/"));
    }
    return undefined;
  }

  #hide(node: TreeNode | undefined, name: string): void {
    if (!node?.children) return;
    if (name === opaqueMarker) prune(node, this.#layer);
    else if (!name.startsWith(".wh..wh.")) {
      const hidden = name.slice(whiteout.length);
      const child = node.children.get(hidden);
      if (!child) return;
      if (child.children) prune(child, this.#layer);
      if (child.setBy < this.#layer && !(child.children && child.children.size > 0))
        node.children.delete(hidden);
    }
  }
}

/** Takes away what lower layers put into a folder; what this layer put there stays, wherever the marker stands. */
function prune(folder: TreeNode, layer: number): void {
  for (const [name, child] of folder.children!) {
    if (child.children) prune(child, layer);
    if (child.setBy < layer && !(child.children && child.children.size > 0)) folder.children!.delete(name);
  }
}

/** Word for word: an object that is made by taking something out of another needs three times the memory. */
function keptOf(header: TarHeader): NodeHeader {
  const { linkTarget, type, mode, uid, gid, modifiedAt, major, minor } = header;
  const { xattrs, acls, sizeBytes, storedBytes, runs } = header;
  // oxfmt-ignore
  const kept = { linkTarget, type, mode, uid, gid, modifiedAt, major, minor, xattrs, acls, sizeBytes, storedBytes };
  return runs ? { ...kept, runs } : kept;
}

/** A copy: a part of the path would keep all of it in memory. */
function lastName(path: RawPath): RawPath {
  return Buffer.from(path.slice(path.lastIndexOf("/") + 1), "latin1").toString("latin1");
}

/** A folder that no entry describes: as tar makes it. */
function folderNode(layer: number, ordinal: number): TreeNode {
  const header: NodeHeader = {
    linkTarget: "",
    type: "folder",
    mode: 0o755,
    uid: 0,
    gid: 0,
    modifiedAt: 0,
    major: 0,
    minor: 0,
    xattrs: new Map(),
    acls: {},
    sizeBytes: 0,
    storedBytes: 0,
  };
  return new TreeNode(layer, ordinal, header, { children: new Map() });
}

function behindLink(given: string, link: RawPath): Problem {
  const shown = (path: string) => Buffer.from(path, "latin1").toString("utf8");
  return {
    code: "rootfs-path-through-link",
    message: `the archive entry ${JSON.stringify(shown(given))} lies behind the symbolic link "${shown(link)}" of the same archive`,
    hint: "Make the archive from inside the root filesystem: `tar -C ROOT -cf rootfs.tar .`",
  };
}
