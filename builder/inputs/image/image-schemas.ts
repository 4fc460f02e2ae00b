import * as z from "zod";

const sha256Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text.slice("sha256:".length));

const descriptor = z.object({
  mediaType: z.string().max(255).default(""),
  digest: sha256Digest,
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
});

export type Descriptor = z.infer<typeof descriptor>;

/** OCI image-spec 1.1: index.json, and indexes inside. */
export const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptor).max(1000),
});

/** OCI and Docker schema 2 manifests. */
export const imageManifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptor,
  layers: z.array(descriptor).max(1000),
});

export const imageConfigSchema = z.object({
  os: z.string(),
  architecture: z.string(),
  rootfs: z.object({ type: z.literal("layers"), diff_ids: z.array(sha256Digest).max(1000) }),
});

/** manifest.json of `docker save`. */
export const dockerManifestSchema = z
  .array(
    z.object({
      Config: z.string().max(4096),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string().max(4096)).max(1000),
    }),
  )
  .max(1000);
