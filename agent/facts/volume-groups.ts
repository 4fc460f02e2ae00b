import type { Run } from "../system/run.ts";
import type { VolumeGroupFacts } from "./facts.ts";
import { probeSignatures } from "./probe-signatures.ts";

export interface VolumeSegment {
  groupUuid: string;
  volumeUuid: string;
  /** `linear`, `striped`, `raid1`, `thin`, `snapshot`… */
  type: string;
}

export interface LvmFacts {
  groups: VolumeGroupFacts[];
  segments: VolumeSegment[];
}

/** LVM's own view, read without locks and without activating anything. */
export async function readVolumeGroups(run: Run): Promise<LvmFacts> {
  const physical = await report(run, "pvs", "vg_name,vg_uuid,pv_name");
  const groups = new Map<string, Required<VolumeGroupFacts>>();
  for (const [name, uuid, device] of physical) {
    if (!name || !uuid || !device) continue; // a physical volume in no group
    const group = groups.get(uuid) ?? {
      name,
      uuid,
      physicalVolumes: [] as string[],
      volumes: [] as NonNullable<VolumeGroupFacts["volumes"]>,
    };
    group.physicalVolumes.push(device);
    groups.set(uuid, group);
  }
  if (groups.size === 0) return { groups: [], segments: [] };
  for (const row of await report(run, "lvs", "vg_uuid,lv_name,lv_size,lv_path", [
    "--units",
    "b",
    "--nosuffix",
  ])) {
    const [groupUuid = "", name = "", size = "", path = ""] = row;
    // Not lv_active: with --readonly it is always `unknown`. An inactive volume has no device, and blkid finds nothing.
    const { type } = path ? await probeSignatures(run, path) : {};
    groups
      .get(groupUuid)
      ?.volumes.push({ name, sizeBytes: Number(size), ...(type ? { filesystemType: type } : {}) });
  }
  const segments = await report(run, "lvs", "vg_uuid,lv_uuid,segtype", ["--segments", "--all"]);
  return {
    groups: [...groups.values()].sort((one, other) => one.name.localeCompare(other.name)),
    segments: segments.map(([groupUuid = "", volumeUuid = "", type = ""]) => ({
      groupUuid,
      volumeUuid,
      type,
    })),
  };
}

async function report(
  run: Run,
  command: "pvs" | "lvs",
  columns: string,
  options: string[] = [],
): Promise<string[][]> {
  const args = [command, "--readonly", "--noheadings", "--separator", "|", "-o", columns, ...options];
  // 5: something on another disk is damaged; what could be read is still printed.
  const { stdout } = await run("lvm", args, { acceptExitCodes: [5] });
  return parseLvmReport(stdout);
}

export function parseLvmReport(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.includes("|"))
    .map((line) => line.split("|").map((field) => field.trim()));
}
