import { GiB, MiB } from "../../format/sizes.ts";
import type { Volume } from "../../format/layout.ts";

interface VolumeDocument extends Omit<Volume, "sizeBytes"> {
  size: number;
}

/** The usual dual layout. Free space goes to /data, which is what fills up on a gateway. */
export const defaultVolumes: VolumeDocument[] = [
  { name: "root_a", size: 3 * GiB, filesystem: "ext4", mountPoint: "/", slot: "A", growWeight: 0 },
  { name: "root_b", size: 3 * GiB, filesystem: "ext4", mountPoint: "/", slot: "B", growWeight: 0 },
  { name: "image", size: 512 * MiB, filesystem: "ext4", mountPoint: "/image", growWeight: 0 },
  { name: "data", size: 512 * MiB, filesystem: "ext4", mountPoint: "/data", growWeight: 1 },
];
