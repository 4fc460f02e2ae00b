import type { Facts, MountFacts } from "../facts/facts.ts";
import { oldFilesystemTypes } from "../../format/stash.ts";

type Captured = MountFacts & { type: (typeof oldFilesystemTypes)[number] };

/**
 * The filesystems that make up the old system: its root and everything mounted from the same disk, each behind what it is
 * mounted in. None when the root itself cannot be read. Bind mounts show a filesystem again; its first mount stands for all.
 */
export function capturedMounts(facts: Facts): Captured[] {
  const [disk] = facts.root?.disks ?? [];
  const seen = new Set<string>();
  const captured: Captured[] = [];
  for (const mount of facts.mounts) {
    const again = seen.has(mount.device);
    seen.add(mount.device);
    if (again || disk === undefined || !mount.disks?.includes(disk) || !isReadable(mount)) continue;
    captured.push(mount);
  }
  captured.sort((one, other) => depth(one.target) - depth(other.target));
  return captured[0]?.target === "/" ? captured : [];
}

function isReadable(mount: MountFacts): mount is Captured {
  return (oldFilesystemTypes as readonly string[]).includes(mount.type);
}

function depth(path: string): number {
  return path === "/" ? 0 : path.split("/").length - 1;
}
