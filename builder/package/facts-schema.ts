import * as z from "zod";
import type { Facts } from "../../agent/facts/facts.ts";

const bytes = z.number().min(0);

/** What lies between a filesystem and its disks. */
const stack = z.array(
  z.enum(["partition", "lvm-linear", "lvm-other", "raid", "multipath", "crypt", "loop", "disk", "unknown"]),
);

/** A gateway's facts as JSON, from a file: agent/facts/facts.ts as a schema. Unknown keys are dropped. */
export const factsSchema: z.ZodType<Facts> = z.object({
  architecture: z.string(),
  firmware: z.enum(["bios", "uefi"]),
  isRoot: z.boolean(),
  kernelRelease: z.string(),
  kernelCommandLine: z.string(),
  osName: z.string(),
  memory: z.object({ totalBytes: bytes, availableBytes: bytes }),
  disks: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      sizeBytes: bytes,
      logicalSectorBytes: z.int().min(1),
      serial: z.string().optional(),
      model: z.string().optional(),
      readOnly: z.boolean(),
      removable: z.boolean(),
      tableType: z.enum(["dos", "gpt"]).optional(),
      tableId: z.string().optional(),
      partitions: z.array(
        z.object({
          name: z.string(),
          path: z.string(),
          number: z.int(),
          startBytes: bytes,
          sizeBytes: bytes,
          filesystemType: z.string().optional(),
          filesystemUuid: z.string().optional(),
        }),
      ),
      holders: z.array(z.string()),
    }),
  ),
  volumeGroups: z
    .array(
      z.object({
        name: z.string(),
        uuid: z.string(),
        physicalVolumes: z.array(z.string()),
        volumes: z
          .array(z.object({ name: z.string(), sizeBytes: bytes, filesystemType: z.string().optional() }))
          .optional(),
      }),
    )
    .optional(),
  mounts: z.array(
    z.object({
      device: z.string(),
      source: z.string(),
      target: z.string(),
      type: z.string(),
      options: z.string(),
      disks: z.array(z.string()).optional(),
      usedBytes: bytes.optional(),
      stack: stack.optional(),
      superOptions: z.string().optional(),
    }),
  ),
  root: z
    .object({
      device: z.string(),
      filesystemType: z.string(),
      filesystemUuid: z.string(),
      stack,
      disks: z.array(z.string()),
      groupPhysicalVolumes: z.array(z.string()),
    })
    .optional(),
  boot: z.object({
    grubFolder: z.string().optional(),
    grubenvWritable: z.boolean(),
    grubOneShot: z.boolean(),
    kexecAllowed: z.boolean(),
    secureBoot: z.boolean(),
    bootFreeBytes: bytes,
  }),
  interfaces: z.array(
    z.object({
      name: z.string(),
      macAddress: z.string().optional(),
      driver: z.string().optional(),
      up: z.boolean(),
      addresses: z.array(z.string()),
    }),
  ),
  storageDrivers: z.array(z.string()),
  converted: z.object({ slot: z.enum(["A", "B"]), compatible: z.string() }).optional(),
  compatible: z.string().optional(),
  counterFloor: z.int().min(0).optional(),
  stashFreeBytes: bytes,
});
