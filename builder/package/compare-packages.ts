import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { readPackage } from "../../agent/package/read-package.ts";
import { sha256File } from "../../agent/system/files.ts";
import { manifestName, packageFiles } from "../../format/manifest.ts";
import { expanded } from "../inputs/image/scan-layers.ts";
import { readTar } from "../inputs/tar/read-tar.ts";
import { ByteReader } from "../rootfs/byte-reader.ts";
import { shownPath } from "../rootfs/raw-path.ts";
import { decompressed } from "../system/decompress.ts";
import { differencesBetween } from "./differences.ts";

/** One thing that two packages say differently. */
export interface PackageDifference {
  file: string;
  /** An entry of the root filesystem, a part of the ramdisk, a key of the manifest. */
  at: string;
  field: string;
  a: string;
  b: string;
}

/** Everything in which two packages differ, down to the field of an entry; empty for equal ones. Trusts nothing, verifies nothing. */
export async function comparePackages(a: string, b: string): Promise<PackageDifference[]> {
  const [left, right] = [await readPackage(a), await readPackage(b)];
  const [one, other] = [left.manifest, right.manifest].map((manifest) => ({
    ...manifest,
    files: Object.fromEntries(manifest.files.map(({ name, ...file }) => [name, file])),
  }));
  const found: PackageDifference[] = differencesBetween(one, other).map((difference) => ({
    file: manifestName,
    ...difference,
  }));
  for (const name of Object.values(packageFiles)) {
    const [one, other] = [join(a, name), join(b, name)];
    if ((await sha256File(one)) === (await sha256File(other))) continue;
    if (name === packageFiles.rootfs) found.push(...(await rootfsDifferences(name, one, other)));
    else if (name === packageFiles.ramdisk) {
      const offsets = left.manifest.ramdisk.runtimeSegments.map(({ offset }) => offset);
      const first = await firstDifference(one, other);
      const part = ["node", "tools", "agent"][offsets.filter((offset) => offset <= first).length - 1];
      const { offset, bytes } = left.manifest.ramdisk.runtimeSegments.at(-1)!;
      found.push(
        byteDifference(name, first >= offset + bytes ? "segment kernel" : `segment ${part ?? "node"}`, first),
      );
    } else found.push(byteDifference(name, "content", await firstDifference(one, other)));
  }
  return found;
}

function byteDifference(file: string, at: string, first: number): PackageDifference {
  return { file, at, field: "bytes", a: `byte ${first}`, b: `byte ${first}` };
}

async function rootfsDifferences(file: string, a: string, b: string): Promise<PackageDifference[]> {
  const [left, right] = [await entriesOf(a), await entriesOf(b)];
  const found: PackageDifference[] = [];
  for (const path of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const [one, other] = [left.get(path), right.get(path)];
    const at = shownPath(path);
    if (!one || !other) {
      found.push({ file, at, field: "presence", a: one ? "there" : "absent", b: other ? "there" : "absent" });
    } else {
      for (const difference of differencesBetween(one, other))
        found.push({ file, ...difference, at, field: difference.at });
    }
  }
  if (found.length > 0) return found;
  const order = [...left.keys()].findIndex((path, index) => path !== [...right.keys()][index]);
  return [
    order === -1
      ? byteDifference(
          file,
          "same entries, packed otherwise (another xz or tar?)",
          await firstDifference(a, b),
        )
      : {
          file,
          at: `entry ${order}`,
          field: "order",
          a: shownPath([...left.keys()][order]!),
          b: shownPath([...right.keys()][order]!),
        },
  ];
}

/** All that an archive says of its entries, by path, in its order. */
async function entriesOf(archive: string): Promise<Map<string, Record<string, unknown>>> {
  const entries = new Map<string, Record<string, unknown>>();
  const reader = new ByteReader(decompressed(archive, "xz"));
  try {
    for await (const { header, content } of readTar(reader, { mayLackEnd: false })) {
      const hash = createHash("sha256");
      for await (const chunk of expanded(header, content)) hash.update(chunk);
      const { path, xattrs, acls: _, runs, storedBytes: __, ...fields } = header;
      entries.set(path, {
        ...fields,
        mode: fields.mode.toString(8),
        xattrs: Object.fromEntries(
          [...xattrs].map(([name, value]) => [name, Buffer.from(value, "latin1").toString("hex")]),
        ),
        holes: runs === undefined ? "none" : JSON.stringify(runs),
        sha256: hash.digest("hex"),
      });
    }
  } finally {
    await reader.close();
  }
  return entries;
}

/** Offset of the first byte that differs; the length of the shorter file if it is the beginning of the other. */
async function firstDifference(a: string, b: string): Promise<number> {
  const [left, right] = [await open(a), await open(b)];
  try {
    const size = Math.min((await stat(a)).size, (await stat(b)).size);
    const [one, other] = [Buffer.alloc(256 * 1024), Buffer.alloc(256 * 1024)];
    for (let at = 0; at < size; at += one.length) {
      const length = Math.min(one.length, size - at);
      await left.read(one, 0, length, at);
      await right.read(other, 0, length, at);
      if (one.compare(other, 0, length, 0, length) === 0) continue;
      for (let index = 0; index < length; index++) if (one[index] !== other[index]) return at + index;
    }
    return size;
  } finally {
    await left.close();
    await right.close();
  }
}
