import * as z from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Where everything stage 2 needs lies on the old root filesystem, relative to its top. */
export const stashFolder = "/var/lib/dualroot/stash";

/** stash.json: what stage 1 hands to stage 2. Its own SHA-256 travels on the kernel command line. */
export const stashSchema = z.strictObject({
  format: z.literal(1),
  manifestSha256: sha256,
  /** The disk to convert, so that the ramdisk cannot take another one. */
  disk: z.strictObject({
    name: z.string(),
    sizeBytes: z.int().min(1),
    serial: z.string().optional(),
    /** MBR signature (8 hex digits) or GPT disk GUID, as blkid's PTUUID. */
    tableId: z.string().optional(),
  }),
  oldRoot: z.strictObject({
    /** UUID of the filesystem that holds the stash. */
    filesystemUuid: z.string(),
    filesystemType: z.string(),
    osName: z.string(),
  }),
  /** 32 hex digits of randomness; every UUID of the target is derived from it, so stage 2 stays a function of stash and disk. */
  seed: z.string().regex(/^[0-9a-f]{32}$/),
  /** `console=` words of the running system, in order; the last is /dev/console. */
  consoles: z.array(z.string().regex(/^console=\S+$/)),
  bootMethod: z.enum(["kexec", "grub"]),
  /** Files beside stash.json; the package's own files lie in `package/`. */
  identity: z.strictObject({ name: z.literal("identity.json"), sha256 }),
  preserved: z.strictObject({ name: z.literal("preserved.tar"), sha256, sizeBytes: z.int().min(0) }),
  /** `acceptDevelopmentKey`: a person said so on the gateway. */
  trust: z.strictObject({ keyId: z.string(), role: z.enum(["release", "dev"]) }),
  /** Unix seconds by the old system's clock when stage 1 handed over; for the downtime only, nothing is decided by it. */
  handedOverAt: z.int(),
});

export type Stash = z.infer<typeof stashSchema>;
