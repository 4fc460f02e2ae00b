import { StepError } from "../../../format/errors.ts";
import { stashFolder } from "../../../format/stash.ts";
import type { Facts } from "../../facts/facts.ts";
import { mountHolding } from "../../facts/parse-proc.ts";
import { probeSignatures } from "../../facts/probe-signatures.ts";
import type { Run } from "../../system/run.ts";

export interface StashFilesystem {
  uuid: string;
  type: string;
  /** The stash's folder from the top of that filesystem. */
  path: string;
}

/** The filesystem the stash lies on: /var may be a filesystem of its own. */
export async function stashFilesystem(facts: Facts, run: Run): Promise<StashFilesystem> {
  const mount = mountHolding(facts.mounts, stashFolder);
  if (facts.root && (!mount || mount.target === "/")) {
    const { filesystemUuid, filesystemType } = facts.root;
    return { uuid: filesystemUuid, type: filesystemType, path: stashFolder };
  }
  const uuid = mount && (await probeSignatures(run, mount.source)).uuid;
  if (!mount || !uuid) {
    throw new StepError(`The filesystem that holds ${stashFolder} has no UUID.`, {
      hint: "Keep /var/lib on a disk's filesystem.",
    });
  }
  return { uuid, type: mount.type, path: stashFolder.slice(mount.target.length) };
}
