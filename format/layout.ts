import * as z from "zod";

/** Names LVM and device-mapper take unescaped: `-` would be doubled in /dev/mapper, so it is not allowed. */
const volumeName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,30}$/, "letters, digits and _, starting with a letter");

export const filesystemTypes = ["ext4", "xfs"] as const;
export type FilesystemType = (typeof filesystemTypes)[number];

const sizeBytes = z.int().min(1024 * 1024);

export const volumeSchema = z.strictObject({
  name: volumeName,
  sizeBytes,
  filesystem: z.enum(filesystemTypes),
  /** Mount point in the target; both slots of a dual system have `/`. */
  mountPoint: z.string().regex(/^\/([A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*)?$/),
  /** Set on root volumes only. A single-root layout has one root volume with slot `A`. */
  slot: z.enum(["A", "B"]).optional(),
  /** Share of the free space handed out after commit; 0 keeps the size. */
  growWeight: z.int().min(0).max(1000).default(0),
});

/** What the target disk looks like, independent of the disk it lands on. */
export const layoutSchema = z.strictObject({
  biosBootBytes: sizeBytes,
  bootBytes: sizeBytes,
  volumeGroup: volumeName,
  /** LVM physical extent size. */
  extentBytes: z.int().min(1024 * 1024),
  volumes: z.array(volumeSchema).min(1).max(32),
});

export type Volume = z.infer<typeof volumeSchema>;
export type Layout = z.infer<typeof layoutSchema>;

/** `/dev/mapper/VA-root_a`: the one form used everywhere, because RAUC compares mount-table strings. */
export function volumeDevice(layout: { volumeGroup: string }, volume: { name: string }): string {
  return `/dev/mapper/${layout.volumeGroup}-${volume.name}`;
}
