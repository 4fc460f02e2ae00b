import * as z from "zod";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Where stage 1 keeps the stash on the old root filesystem, relative to its top. */
export const stashFolder = "/var/lib/dualroot/stash";

/** GRUB and stage 2 address the disk in these, whatever its own sectors. */
export const stashSectorBytes = 512;

const byteRangeSchema = z.strictObject({
  startBytes: z.int().min(0).multipleOf(stashSectorBytes),
  sizeBytes: z.int().min(stashSectorBytes).multipleOf(stashSectorBytes),
});

/** Names beside the package's own files. */
export const stashFiles = { identity: "identity.json", preserved: "preserved.tar" } as const;

/** A file of the stash: the package's seven, identity.json and preserved.tar. */
export const stashFileSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9.-]{1,64}$/),
  sizeBytes: z.int().min(0),
  sha256,
  /**
   * Where its bytes lie on the disk, in the file's order; together at least sizeBytes. Absent in ram mode: then it is a file
   * of the stash's folder (package files in `package/`).
   */
  ranges: z.array(byteRangeSchema).min(1).max(4096).optional(),
});

export type StashFile = z.infer<typeof stashFileSchema>;

/** What stage 2 may write to before the point of no return: both belong to the stash. */
export const stashSpaceSchema = z.strictObject({
  /** One range: the resume record (its first 4096 bytes), then room for the resume loader's core image. */
  loader: byteRangeSchema,
  /** Room for the archive of the old system; absent when it is not to be kept, or there was no room. */
  oldSystem: z.array(byteRangeSchema).min(1).max(4096).optional(),
});

/** Bytes of the loader's range: record and core image. */
export const loaderBytes = 1024 * 1024;
export const resumeRecordBytes = 4096;

/** What the capture can read: GRUB-bootable roots of old gateways. */
export const oldFilesystemTypes = ["ext2", "ext3", "ext4", "xfs"] as const;

/** The old system as it ran in stage 1; the capture reads these filesystems, and slot B boots as this command line did. */
export const oldSystemSchema = z.strictObject({
  wanted: z.enum(["auto", "require"]),
  osName: z.string().max(200),
  kernelRelease: z.string().regex(/^[A-Za-z0-9._+~-]{1,128}$/),
  commandLine: z.string().max(4096),
  /** Root first, then those mounted below it on the same disk, each behind what it is mounted in. */
  filesystems: z
    .array(
      z.strictObject({
        uuid: z.string().regex(/^[0-9A-Za-z-]{1,64}$/),
        type: z.enum(oldFilesystemTypes),
        mountPoint: z
          .string()
          .max(4096)
          .regex(/^\/[^\u0000]*$/)
          .refine((path) => !path.split("/").includes(".."), "must not lead out"),
      }),
    )
    .min(1)
    .max(64),
});

export type OldSystem = z.infer<typeof oldSystemSchema>;
export type OldFilesystem = OldSystem["filesystems"][number];

/** stash.json: what stage 1 hands to stage 2. Its own SHA-256 travels on the kernel command line. Padded with spaces to whole sectors. */
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
  files: z.array(stashFileSchema).max(32),
  /** Present exactly when it is to be kept as slot B: see agent/old-system/plan-old-system.ts. */
  oldSystem: oldSystemSchema.optional(),
  /** Present exactly when the stash lies on the disk in known ranges (`disk mode`); absent in ram mode. */
  space: stashSpaceSchema.optional(),
  /** Who signed the package: where stage 1 took a development key, stage 2 takes one, too. */
  trust: z.strictObject({ keyId: z.string(), role: z.enum(["release", "dev"]) }),
  /** Unix seconds by the old system's clock when stage 1 handed over; for the downtime only, nothing is decided by it. */
  handedOverAt: z.int(),
});

export type Stash = z.infer<typeof stashSchema>;

/** The entry of a file that every stash has; undefined in one that was not made by us. */
export function stashFile(stash: Pick<Stash, "files">, name: string): StashFile | undefined {
  return stash.files.find((file) => file.name === name);
}
