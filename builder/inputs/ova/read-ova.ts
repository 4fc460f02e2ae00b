import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { userError, type UserError } from "../../../format/errors.ts";
import { MiB } from "../../../format/sizes.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { shownPath } from "../../rootfs/raw-path.ts";
import type { FileWindow } from "../../vm/description.ts";
import { readTar } from "../tar/read-tar.ts";
import type { TarEntry } from "../tar/tar-header.ts";
import { largestDescriptor, parseOvf } from "./parse-ovf.ts";
import { parseOvaManifest, type OvaAlgorithm } from "./parse-ova-manifest.ts";

/** A disk image where it lies in the OVA. */
export interface OvaDisk {
  name: string;
  window: FileWindow;
}

interface Member {
  name: string;
  window: FileWindow;
  digests: Map<OvaAlgorithm, string>;
}

const mostMembers = 1000;
const algorithms: readonly OvaAlgorithm[] = ["sha1", "sha256", "sha512"];

/** Reads an OVA once, verifies the checksums of its manifest on the way, and gives its machine's disks; nothing is copied. */
export async function readOva(path: string): Promise<OvaDisk[]> {
  const members = new Map<string, Member>();
  let descriptor: { name: string; text: string } | undefined;
  let manifest: string | undefined;
  const reader = new ByteReader(createReadStream(path, { highWaterMark: MiB }) as AsyncIterable<Buffer>);
  try {
    for await (const entry of readTar(reader, { mayLackEnd: false })) {
      const name = memberName(entry);
      if (members.has(name) || members.size >= mostMembers)
        throw damaged(members.has(name) ? `${name} is in it twice` : `it has more than ${mostMembers} files`);
      const window = { offset: reader.offset, sizeBytes: entry.header.sizeBytes };
      const isDescriptor = descriptor === undefined && /\.ovf$/i.test(name);
      const isManifest = /\.mf$/i.test(name);
      // The manifest usually comes before the disks, and says which digest they need.
      const needed = manifest === undefined ? algorithms : neededFor(name, manifest);
      const { digests, text } = await read(entry, needed, isDescriptor || isManifest);
      members.set(name, { name, window, digests });
      if (isDescriptor) descriptor = { name, text };
      if (isManifest) manifest = text;
    }
  } finally {
    await reader.close();
  }
  if (descriptor === undefined) throw damaged("it has no descriptor (.ovf)");
  verify(members, manifest ?? "");
  const disks = parseOvf(descriptor.text);
  if (manifest !== undefined) refuseIncomplete(manifest, [descriptor.name, ...disks.map(({ href }) => href)]);
  return disks.map(({ href, sizeBytes }) => {
    const member = members.get(href);
    if (!member) throw missing(href, "which is not in it");
    if (sizeBytes !== undefined && sizeBytes !== member.window.sizeBytes)
      throw missing(href, `with ${sizeBytes} bytes; it has ${member.window.sizeBytes}`);
    return { name: href, window: member.window };
  });
}

function memberName({ header }: TarEntry): string {
  const name = shownPath(header.path).replace(/^\.\//, "");
  if (name.startsWith("/") || name.split("/").includes("..") || header.type !== "file" || header.runs)
    throw userError({
      code: "ova-member-unsafe",
      message: `the OVA has the entry ${JSON.stringify(name.slice(0, 300))}, ${header.type === "file" && !header.runs ? "which leads out of it" : "which is no plain file"}`,
      hint: "Export the machine again; an OVA holds plain files only, without folders.",
    });
  return name;
}

function neededFor(name: string, manifest: string): readonly OvaAlgorithm[] {
  const line = parseOvaManifest(manifest).get(name);
  return line ? [line.algorithm] : [];
}

async function read(
  { header, content }: TarEntry,
  needed: readonly OvaAlgorithm[],
  wantsText: boolean,
): Promise<{ digests: Member["digests"]; text: string }> {
  if (wantsText && header.sizeBytes > largestDescriptor)
    throw damaged(`${header.path} has ${header.sizeBytes} bytes, too many for a text`);
  const hashes = needed.map((algorithm): [OvaAlgorithm, Hash] => [algorithm, createHash(algorithm)]);
  const parts: Buffer[] = [];
  for await (const chunk of content) {
    for (const [, hash] of hashes) hash.update(chunk);
    if (wantsText) parts.push(chunk);
  }
  return {
    digests: new Map(hashes.map(([algorithm, hash]) => [algorithm, hash.digest("hex")])),
    text: Buffer.concat(parts).toString(),
  };
}

function verify(members: ReadonlyMap<string, Member>, manifest: string): void {
  for (const [name, { algorithm, digest }] of parseOvaManifest(manifest)) {
    const member = members.get(name);
    if (!member) throw missing(name, "as its manifest says, but it is not there");
    const actual = member.digests.get(algorithm);
    if (actual !== digest)
      throw userError({
        code: "ova-checksum-wrong",
        message: `${name} in the OVA has the ${algorithm.toUpperCase()} ${actual}, not ${digest} as its manifest says`,
        hint: "Copy or export it again: it was damaged, or changed by hand.",
      });
  }
}

/** What a manifest does not name could have been exchanged, and nobody would know. */
function refuseIncomplete(manifest: string, names: readonly string[]): void {
  const listed = parseOvaManifest(manifest);
  const unlisted = names.filter((name) => !listed.has(name));
  if (unlisted.length > 0)
    throw userError({
      code: "ova-manifest-incomplete",
      message: `the OVA's manifest has no checksum of ${unlisted.map((name) => JSON.stringify(name)).join(", ")}`,
      hint: "Export the machine again; an OVA without any manifest is taken.",
    });
}

function missing(name: string, why: string): UserError {
  return userError({
    code: "ova-file-missing",
    message: `the OVA should have ${JSON.stringify(name)}, ${why}`,
    hint: "Copy or export it again.",
  });
}

function damaged(why: string): UserError {
  return userError({
    code: "ova-damaged",
    message: `the OVA cannot be read: ${why}`,
    hint: "Copy or export it again.",
  });
}
