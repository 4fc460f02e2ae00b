import { stat } from "node:fs/promises";
import { userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { compressionOfFile, type Compression } from "../rootfs/archive-format.ts";
import { ByteReader } from "../rootfs/byte-reader.ts";
import { decompressed } from "../system/decompress.ts";
import { normalisedPath } from "./archive-path.ts";
import { diskFormatAt } from "./disk/disk-format-at.ts";
import { diskRoot } from "./disk/disk-root.ts";
import { imageDisk, type ImageDisk } from "./disk/image-disk.ts";
import { folderRoot } from "./folder-root.ts";
import { imageFilesOfArchive, imageFilesOfFolder } from "./image/image-files.ts";
import type { Layer } from "./image/layer.ts";
import { layeredRoot } from "./image/layered-root.ts";
import { readImage } from "./image/read-image.ts";
import { scanLayers } from "./image/scan-layers.ts";
import { rememberedOva } from "./ova/remembered-ova.ts";
import type { RootSource } from "./root-source.ts";
import { readTar } from "./tar/read-tar.ts";

/** What may lie at the top of an OCI layout or a `docker save` archive. A root filesystem begins with none of these. */
const imageName =
  /^(?:oci-layout|index\.json|manifest\.json|repositories|blobs(?:\/.*)?|[0-9a-f]{64}(?:\.json|\.tar|\/.*)?)$/;

export interface OpenOptions {
  /** Not there yet; takes what has to lie on this host of a source that is no folder. */
  scratch: string;
  /** SHA-256 of a file, perhaps remembered. */
  digestOf: (path: string) => Promise<string>;
  /** Where listings of disk images are kept between builds. */
  cacheFolder: string;
  /** A disk image may name other files, which are read then. */
  allowBackingFile: boolean;
  report: Reporter;
}

/** The root filesystem at `source`, told by its content: a folder, a tar, an OCI layout, a `docker save` archive, a disk image, an OVA. */
export async function openSource(source: string, options: OpenOptions): Promise<RootSource> {
  const stats = await stat(source).catch((cause: unknown) => {
    throw userError(
      {
        code: "rootfs-missing",
        message: `there is no root filesystem at ${source}`,
        hint: "rootfs.source is a folder, a tar, a container image, a disk image or an OVA; relative paths start at the folder of the release file.",
      },
      "badInput",
      { cause },
    );
  });
  if (stats.isDirectory()) {
    const files = await imageFilesOfFolder(source);
    return files.has("oci-layout")
      ? await imageRoot(await readImage(files, source), options)
      : await folderRoot(source);
  }
  if (!stats.isFile())
    throw userError({
      code: "rootfs-not-file",
      message: `${source} is neither a folder nor a file`,
      hint: "Give a folder, a tar (plain, gzip, xz or zstd), an OCI layout, a `docker save` archive, a disk image or an OVA.",
    });
  const format = await diskFormatAt(source, { offset: 0, sizeBytes: stats.size });
  if (format !== undefined) {
    const { allowBackingFile, report } = options;
    const disk = await imageDisk({ name: source, file: source, format, allowBackingFile, report });
    return await imagesRoot(format, [disk], options);
  }
  const compression = await compressionOfFile(source);
  const first = await firstName(source, compression);
  if (/^(?:\.\/)?[^/]+\.ovf$/i.test(first)) return await ovaRoot(source, compression, options);
  if (imageName.test(first))
    return await imageRoot(await readImage(await imageFilesOfArchive(source, compression), source), options);
  return await tarRoot(source, compression, options);
}

async function tarRoot(source: string, compression: Compression, options: OpenOptions): Promise<RootSource> {
  const { scratch, report } = options;
  const before = await fileStamp(source);
  const layer: Layer = {
    name: source,
    mayLackEnd: false,
    open: async function* () {
      yield* decompressed(source, compression);
      if ((await fileStamp(source)) !== before)
        throw userError({
          code: "rootfs-changed",
          message: `${source} changed while it was read`,
          hint: "Wait until whoever writes it has finished, and build again.",
        });
    },
  };
  const tree = await scanLayers([layer], { whiteouts: false });
  return await layeredRoot({
    description: compression === "none" ? "tar" : `tar, ${compression}`,
    layers: [layer],
    tree,
    root: scratch,
    identity: await options.digestOf(source),
    report,
  });
}

async function imageRoot(
  image: Awaited<ReturnType<typeof readImage>>,
  { scratch, report }: OpenOptions,
): Promise<RootSource> {
  const tree = await scanLayers(image.layers, { whiteouts: true });
  return await layeredRoot({ ...image, tree, root: scratch, report });
}

/** An OVA's disks, read where they lie in it. */
async function ovaRoot(source: string, compression: Compression, options: OpenOptions): Promise<RootSource> {
  if (compression !== "none")
    throw userError({
      code: "ova-compressed",
      message: `${source} is an OVA that is compressed with ${compression}, so its disks cannot be read where they are`,
      hint: "Decompress it: its disks are compressed already.",
    });
  const { allowBackingFile, cacheFolder, report } = options;
  const disks: ImageDisk[] = [];
  for (const { name, window } of await rememberedOva(source, cacheFolder)) {
    const format = await diskFormatAt(source, window);
    if (format === undefined)
      throw userError({
        code: "ova-disk-unsupported",
        message: `the OVA's ${name} is no disk image that is known`,
        hint: "Disks may be VMDK, VHD, VHDX, VDI, qcow2 or raw.",
      });
    disks.push(
      await imageDisk({ name: `${source}: ${name}`, file: source, format, window, allowBackingFile, report }),
    );
  }
  return await imagesRoot("OVA", disks, options);
}

async function imagesRoot(
  kind: string,
  disks: readonly ImageDisk[],
  { scratch, cacheFolder, report }: OpenOptions,
): Promise<RootSource> {
  return await diskRoot({ kind, disks, scratch, cacheFolder, report });
}

/** Of the first entry of the archive that is not just the top itself. */
async function firstName(source: string, compression: Compression): Promise<string> {
  const reader = new ByteReader(decompressed(source, compression));
  try {
    for await (const { header } of readTar(reader, { mayLackEnd: false })) {
      const name = normalisedPath(header.path);
      if (name !== "") return name;
    }
    return "";
  } finally {
    await reader.close();
  }
}

async function fileStamp(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
