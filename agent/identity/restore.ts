import type { Identity } from "../../format/identity.ts";
import { identitySchema } from "../../format/identity.ts";
import type { Manifest, NetworkFamily } from "../../format/manifest.ts";
import type { Run } from "../system/run.ts";
import { ownerMap } from "./restore/owner-map.ts";
import { restoreAccounts } from "./restore/restore-accounts.ts";
import { restoreHost } from "./restore/restore-host.ts";
import { restoreNetwork } from "./restore/restore-network.ts";
import { restorePreserved } from "./restore/restore-preserved.ts";
import { secureKeys } from "./restore/secure-keys.ts";
import { TargetWriter } from "./restore/target-writer.ts";

export interface RestoreOptions {
  identity: Identity;
  /** As capturePreserved wrote it. */
  preservedTar: string;
  /** The new system's mounted root folder. */
  target: string;
  network: NetworkFamily;
  release: Pick<Manifest, "name" | "version">;
  run: Run;
}

/**
 * Makes the freshly unpacked system in `target` the old box. Running it twice gives the same result.
 * `notes` are sentences for the report; `changed` are the paths that differ from the package because of it.
 */
export async function restoreIdentity(
  options: RestoreOptions,
): Promise<{ notes: string[]; changed: string[] }> {
  const identity = identitySchema.parse(options.identity);
  const target = new TargetWriter(options.target);
  const merge = await restoreAccounts(target, identity);
  await restorePreserved({
    target,
    preservedTar: options.preservedTar,
    owners: ownerMap(identity, merge, target.notes),
    homes: merge.users.map((user) => user.home).filter((home) => home !== "/"),
    run: options.run,
  });
  const root = identity.users.find((user) => user.name === "root");
  const people = [...merge.users, ...(root === undefined ? [] : [{ ...root, uid: 0, gid: 0 }])];
  await restoreNetwork(target, identity, options.network);
  await restoreHost(target, identity, merge.files.group);
  await secureKeys(target, people, merge.files.group);
  return { notes: target.notes, changed: [...target.changed].sort() };
}
