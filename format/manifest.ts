import * as z from "zod";
import { layoutSchema } from "./layout.ts";
import { platformDriversSchema } from "./platforms.ts";

export const networkFamilies = ["ifcfg", "ifupdown", "networkd", "networkmanager"] as const;
export type NetworkFamily = (typeof networkFamilies)[number];

export const keepOldSystemWords = ["auto", "require", "never"] as const;
export type KeepOldSystem = (typeof keepOldSystemWords)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const oneLine = z.string().regex(/^[^\u0000-\u001f\u007f]*$/, "one line of printable text");

/** Roles, not names, are what code looks files up by. */
export const packageFiles = {
  upgrade: "upgrade.sh",
  kernel: "vmlinuz-convert",
  ramdisk: "initramfs-convert.img",
  partitionTable: "partition-table.sgdisk",
  rootfs: "rootfs.tar.xz",
} as const;
export const manifestName = "manifest.json";
export const signatureName = "manifest.json.sig";

export type PackageFileName = (typeof packageFiles)[keyof typeof packageFiles];

const packageFileSchema = z.strictObject({
  name: z.enum([
    packageFiles.upgrade,
    packageFiles.kernel,
    packageFiles.ramdisk,
    packageFiles.partitionTable,
    packageFiles.rootfs,
  ]),
  size: z.int().min(1),
  sha256,
});

/** manifest.json, format 1. Everything both stages decide by; every byte of it is signed. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  name: oneLine.min(1).max(100),
  version: oneLine.min(1).max(100),
  /** Must equal the gateway's product word; RAUC's `compatible`. */
  compatible: oneLine.min(1).max(100),
  /** Anti-rollback counter, never falls from release to release. */
  counter: z.int().min(0),
  /** SOURCE_DATE_EPOCH of the build, seconds. */
  sourceDateEpoch: z.int().min(0),
  layout: layoutSchema,
  requirements: z.strictObject({
    architecture: z.literal("x86_64"),
    firmware: z.literal("bios"),
    /** Memory the ramdisk needs besides the package held in memory. */
    ramdiskBytes: z.int().min(1),
    diskBytes: z.int().min(1),
  }),
  preserve: z.strictObject({
    /** Absolute paths or globs (`*` within one path component) of files and folders carried over. */
    paths: z.array(z.string().startsWith("/")).max(1000),
  }),
  /**
   * Does the old system live on as slot B? `auto`: where there is room, else without; `require`: else refused; `never`: a release that
   * cannot run beside it.
   */
  keepOldSystem: z.enum(keepOldSystemWords).default("auto"),
  target: z.strictObject({
    /** From the target's os-release. */
    osName: oneLine,
    /** Path inside the root filesystem, e.g. `/boot/vmlinuz-6.1.0-50-cloud-amd64`. */
    kernel: z.string().startsWith("/"),
    initramfs: z.string().startsWith("/"),
    kernelVersion: oneLine.min(1),
    /** Words added to the target's kernel command line; `root=`, `rauc.slot=` and `panic=` are ours. */
    commandLine: oneLine,
    network: z.enum(networkFamilies),
    /** Subjects of the certificates in RAUC's keyring; absent where the release has nothing to do with RAUC. */
    raucTrusts: z.array(z.string().max(1000)).max(100).optional(),
    /** `none`: the initramfs finds /dev/mapper/VA-root_a as it is. Else the agent rebuilds it with that tool. */
    rebuildInitramfs: z.enum(["none", "dracut", "initramfs-tools"]),
    /** Storage and network driver modules of the target's kernel, built in or not, `-` as `_`. */
    drivers: z.array(z.string()).max(10_000),
    /** What it has of the drivers of each platform; for people. */
    platforms: z.array(platformDriversSchema).max(16).optional(),
    unpackedBytes: z.int().min(0),
    entries: z.int().min(0),
    /** SHA-256 of /usr/lib/dualroot/rootfs.sha256 inside the root filesystem: digests of its regular files. */
    indexSha256: sha256,
  }),
  ramdisk: z.strictObject({
    kernelVersion: oneLine.min(1),
    /** Drivers in the ramdisk, built in or as modules, `-` as `_`. */
    drivers: z.array(z.string()).max(10_000),
    /**
     * The ramdisk image is several cpio archives, each compressed on its own. These, in this order, are all stage 1 needs
     * (Node, agent, tools); `bytes` is the compressed stream without the zero bytes that pad the next offset to 4.
     */
    runtimeSegments: z
      .array(z.strictObject({ offset: z.int().min(0).multipleOf(4), bytes: z.int().min(1) }))
      .min(1)
      .max(16),
    runtimeCompression: z.enum(["gzip", "xz"]),
  }),
  files: z.array(packageFileSchema).length(5),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type PackageFile = z.infer<typeof packageFileSchema>;

/** Upper bound for reading manifest.json from anywhere, bytes. */
export const manifestMaxBytes = 1024 * 1024;
