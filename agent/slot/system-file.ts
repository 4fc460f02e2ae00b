import * as z from "zod";
import type { SlotName } from "../../format/grubenv.ts";
import type { Manifest } from "../../format/manifest.ts";

/** /etc/dualroot/system.json: what the system in a slot is. */
export const systemFileSchema = z.object({
  format: z.literal(1),
  compatible: z.string(),
  name: z.string(),
  version: z.string(),
  counter: z.int().min(0),
  slot: z.enum(["A", "B"]),
  volumeGroup: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,30}$/),
  /** The old system, kept by the conversion as slot B. */
  oldSystem: z.boolean().optional(),
  /** The release's own words in /etc/dualroot/command-line, so that the next release can take them back. */
  commandLine: z.string().optional(),
});

export type SystemFile = z.infer<typeof systemFileSchema>;

/** One key a line: scripts read it with sed. */
export function encodeSystemFile(system: SystemFile): string {
  return `${JSON.stringify(system, undefined, 2)}\n`;
}

/** What a release is once it lies in a slot. */
export function describeRelease(manifest: Manifest, slot: SlotName, volumeGroup: string): SystemFile {
  const { compatible, name, version, counter, target } = manifest;
  return {
    format: 1,
    compatible,
    name,
    version,
    counter,
    slot,
    volumeGroup,
    commandLine: target.commandLine,
  };
}

/** What the old system is in slot B; the word `oldSystem` tells it from a converted slot (docs/old-system.md). */
export function describeKeptSystem(manifest: Manifest, osName: string, volumeGroup: string): SystemFile {
  return {
    format: 1,
    compatible: manifest.compatible,
    name: osName,
    version: `before ${manifest.name} ${manifest.version}`,
    counter: 0,
    slot: "B",
    volumeGroup,
    oldSystem: true,
  };
}
