import { createHash } from "node:crypto";
import type * as z from "zod";
import { userError, type UserError } from "../../../format/errors.ts";
import { MiB } from "../../../format/sizes.ts";
import { blobContent, blobTar, compare, type Blob } from "./blob.ts";
import type { ImageFiles } from "./image-files.ts";
import {
  dockerManifestSchema,
  imageConfigSchema,
  imageManifestSchema,
  indexSchema,
  type Descriptor,
} from "./image-schemas.ts";
import type { Layer } from "./layer.ts";

const mostJsonBytes = 8 * MiB;
const deepestIndex = 4;
const again =
  "Export the image again: `docker save IMAGE -o image.tar`, or `skopeo copy docker://IMAGE oci:FOLDER`.";

export interface Image {
  description: string;
  layers: Layer[];
  /** Digests of all layers. */
  identity: string;
}

/** The layers of the one linux/amd64 image in an OCI layout or a `docker save` archive. Digests of the JSON files are checked here, layers' when they are read. */
export async function readImage(files: ImageFiles, source: string): Promise<Image> {
  const index = files.get("index.json");
  return index && files.has("oci-layout")
    ? await ociImage(files, index, source)
    : await dockerImage(files, source);
}

async function ociImage(files: ImageFiles, index: Blob, source: string): Promise<Image> {
  let found = (await parsed(index, indexSchema)).manifests;
  for (let depth = 0; depth < deepestIndex; depth++) {
    const candidates = found.filter(isCandidate);
    const unique = new Set(candidates.map(({ digest }) => digest));
    if (unique.size !== 1) throw notOneImage(source, candidates.map(nameOf));
    const [chosen] = candidates as [Descriptor];
    const blob = blobOf(files, chosen, "manifest");
    if (!/index|manifest\.list/.test(chosen.mediaType)) {
      const manifest = await parsed(blob, imageManifestSchema, chosen.digest);
      const config = await parsed(
        blobOf(files, manifest.config, "configuration"),
        imageConfigSchema,
        manifest.config.digest,
      );
      checkPlatform(config, source);
      const encrypted = manifest.layers.find(({ mediaType }) => /encrypted/.test(mediaType));
      if (encrypted)
        throw userError({
          code: "image-layer-encrypted",
          message: `the layer sha256:${encrypted.digest} of ${source} is encrypted`,
          hint: "Give the image without encryption.",
        });
      return imageOf(
        manifest.layers.map((layer) => ({ blob: blobOf(files, layer, "layer"), stored: layer.digest })),
        config.rootfs.diff_ids,
        source,
        "OCI image",
      );
    }
    found = (await parsed(blob, indexSchema, chosen.digest)).manifests;
  }
  throw damaged(source, "its indexes lie inside each other too deeply");
}

async function dockerImage(files: ImageFiles, source: string): Promise<Image> {
  const list = files.get("manifest.json");
  if (!list) throw missing(source, "manifest.json");
  const images = await parsed(list, dockerManifestSchema);
  const [image] = images;
  if (!image || images.length > 1)
    throw notOneImage(
      source,
      images.map(({ Config, RepoTags }) => RepoTags?.[0] ?? Config),
    );
  const file = (name: string): Blob => files.get(name) ?? fail(missing(source, name));
  const named = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(image.Config)?.[1];
  const config = await parsed(file(image.Config), imageConfigSchema, named);
  checkPlatform(config, source);
  return imageOf(
    image.Layers.map((name) => ({ blob: file(name) })),
    config.rootfs.diff_ids,
    source,
    "docker archive",
  );
}

function imageOf(
  blobs: readonly { blob: Blob; stored?: string }[],
  plainDigests: readonly string[],
  source: string,
  kind: string,
): Image {
  if (blobs.length !== plainDigests.length)
    throw damaged(source, `it has ${blobs.length} layers, its configuration names ${plainDigests.length}`);
  if (blobs.length === 0) throw damaged(source, "it has no layers");
  return {
    description: `${kind}, ${blobs.length} ${blobs.length === 1 ? "layer" : "layers"}`,
    layers: blobs.map(({ blob, stored }, index) => ({
      name: blob.name,
      mayLackEnd: true,
      open: () => blobTar(blob, { ...(stored === undefined ? {} : { stored }), plain: plainDigests[index]! }),
    })),
    identity: plainDigests.join(" "),
  };
}

/** Attestations and other people's platforms lie beside the image. */
function isCandidate({ platform, annotations }: Descriptor): boolean {
  if (annotations?.["vnd.docker.reference.type"] !== undefined) return false;
  return !platform || (platform.os === "linux" && platform.architecture === "amd64");
}

function checkPlatform({ os, architecture }: { os: string; architecture: string }, source: string): void {
  if (os !== "linux" || architecture !== "amd64")
    throw userError({
      code: "image-platform-wrong",
      message: `${source} is an image for ${os}/${architecture}; gateways are linux/amd64`,
      hint: "Export it with --platform linux/amd64.",
    });
}

function blobOf(files: ImageFiles, { digest, size }: Descriptor, what: string): Blob {
  const name = `blobs/sha256/${digest}`;
  const blob = files.get(name);
  if (!blob)
    throw userError({
      code: "image-blob-missing",
      message: `the ${what} sha256:${digest} of the image is not there`,
      hint: `The image is only a part of one. ${again}`,
      where: name,
    });
  if (blob.sizeBytes !== size) throw damaged(name, `it has ${blob.sizeBytes} bytes, the image says ${size}`);
  return blob;
}

async function parsed<Schema extends z.ZodType>(
  blob: Blob,
  schema: Schema,
  sha256?: string,
): Promise<z.output<Schema>> {
  const bytes = await blobContent(blob, mostJsonBytes);
  compare(blob.name, sha256, createHash("sha256").update(bytes).digest("hex"));
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw damaged(blob.name, "it is not JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw damaged(blob.name, `${issue!.path.join(".") || "it"}: ${issue!.message}`);
}

function nameOf({ digest, annotations }: Descriptor): string {
  return (
    annotations?.["io.containerd.image.name"] ?? annotations?.["org.opencontainers.image.ref.name"] ?? digest
  );
}

function notOneImage(source: string, names: readonly string[]): UserError {
  return userError(
    names.length === 0
      ? {
          code: "image-platform-wrong",
          message: `${source} has no image for linux/amd64`,
          hint: "Export it with --platform linux/amd64.",
        }
      : {
          code: "image-ambiguous",
          message: `${source} has ${names.length} images: ${names.slice(0, 5).join(", ")}`,
          hint: "Export one image only.",
        },
  );
}

function missing(source: string, name: string): UserError {
  return userError({
    code: "image-blob-missing",
    message: `${source} is an image without its ${JSON.stringify(name)}`,
    hint: `The image is only a part of one. ${again}`,
  });
}

function damaged(where: string, why: string): UserError {
  return userError({
    code: "image-damaged",
    message: `${where} is not what an image has: ${why}`,
    hint: again,
  });
}

function fail(error: Error): never {
  throw error;
}
