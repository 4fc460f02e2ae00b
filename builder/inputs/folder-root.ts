import { lstat } from "node:fs/promises";
import { sha256Hex } from "../../format/digest.ts";
import { userError } from "../../format/errors.ts";
import { ByteReader } from "../rootfs/byte-reader.ts";
import { indexDigests } from "../rootfs/index-file.ts";
import { onDisk, type RawPath } from "../rootfs/raw-path.ts";
import { walk, type Entry } from "../rootfs/walk.ts";
import { folderTar, labelledTar } from "../system/folder-tar.ts";
import { keepHeapSmall } from "../system/small-heap.ts";
import type { RootSource } from "./root-source.ts";
import { readTar } from "./tar/read-tar.ts";
import { repackTar } from "./tar/repack-tar.ts";

const labelSample = 200;
const statsAtOnce = 64;

/** A root filesystem as a folder. Reading and keeping owners, labels and capabilities needs root; tars and images do not. */
export async function folderRoot(root: string): Promise<RootSource> {
  if (process.getuid?.() !== 0) {
    throw userError(
      {
        code: "build-not-root",
        message: "packing a folder needs root, to read and keep owners, labels and capabilities",
        hint: "Run it with sudo, or give the root filesystem as a tar or a container image: they need no root.",
      },
      "refused",
    );
  }
  keepHeapSmall("pipe");
  const entries = await walk(root);
  return {
    description: "folder",
    root,
    entries,
    fetch: async () => {},
    digests: async (files, onBytes) => await indexDigests(root, files, onBytes),
    archive: (kept, { sourceDateEpoch, report }) =>
      repackTar(
        folderTar({
          root,
          names: Buffer.from(
            ["./", ...kept.map((entry) => `./${entry.path}`)].map((name) => `${name}\0`).join(""),
            "latin1",
          ),
          report,
        }),
        { expected: 1 + kept.length, sourceDateEpoch },
      ),
    labels: async () => {
      // Folders have labels as files do, and no content that would have to be read.
      const folders = entries.filter(({ type }) => type === "folder");
      const every = Math.max(1, Math.ceil(folders.length / labelSample));
      const sample = folders.filter((_, index) => index % every === 0).map(({ path }) => path);
      return { looked: sample.length, labelled: await labelledAmong(root, sample) };
    },
    close: async () => {},
    stamp: async (kept) => await stampOf(root, kept),
  };
}

async function labelledAmong(root: string, paths: readonly RawPath[]): Promise<number> {
  const names = Buffer.from(paths.map((path) => `./${path}\0`).join(""), "latin1");
  const reader = new ByteReader(labelledTar(root, names));
  let labelled = 0;
  try {
    for await (const { header } of readTar(reader, { mayLackEnd: false }))
      if (header.xattrs.has("security.selinux")) labelled += 1;
  } finally {
    await reader.close();
  }
  return labelled;
}

/**
 * What git's index relies on, and inode change times besides: they move with every change of content, owner, mode, name or
 * attribute, and nobody can set them back. Reading 20,000 of them takes a tenth of what reading the files does.
 */
async function stampOf(root: string, kept: readonly Entry[]): Promise<string> {
  const lines: string[] = Array.from({ length: kept.length });
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < kept.length; index = next++) {
      const { path } = kept[index]!;
      const { dev, ino, mode, uid, gid, nlink, rdev, size, mtimeNs, ctimeNs } = await lstat(
        onDisk(root, path),
        { bigint: true },
      );
      lines[index] = [path, dev, ino, mode, uid, gid, nlink, rdev, size, mtimeNs, ctimeNs].join("\0");
    }
  };
  await Promise.all(Array.from({ length: statsAtOnce }, worker));
  return sha256Hex(lines.join("\0\0"));
}
