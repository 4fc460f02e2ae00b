import { join } from "node:path";
import type { Facts } from "../../facts/facts.ts";
import { openTree, type Tree } from "../../facts/tree.ts";
import type { TrustedKey } from "../../../format/signature.ts";
import { readPermit } from "../../package/read-permit.ts";
import { stateFolderOf } from "../../slot/state-folder.ts";
import { systemFileSchema, type SystemFile } from "../../slot/system-file.ts";
import { readSlotRecord } from "../../slot/write-slot-record.ts";
import { exists } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";
import type { InstallFacts } from "./install-facts.ts";
import { readBootPartition, readGrubenv } from "./read-boot-partition.ts";
import { readHealth } from "./read-health.ts";
import { readRaucOperation } from "./read-rauc-operation.ts";
import { readSlots } from "./read-slots.ts";

export interface InstallFactsOptions {
  run: Run;
  facts: Facts;
  /** Where a permit may lie. */
  packageFolder: string;
  keys: readonly TrustedKey[];
  /** `/`, or a folder in tests. */
  root?: string;
}

/** Looks at a converted gateway; writes nothing, mounts nothing. */
export async function gatherInstallFacts(options: InstallFactsOptions): Promise<InstallFacts> {
  const { run, facts, root = "/" } = options;
  const tree = openTree(root);
  const running = /(?:^|\s)rauc\.slot=([AB])(?:\s|$)/.exec(facts.kernelCommandLine)?.[1];
  const system = await readSystem(tree);
  const commandLine = await tree.text("/etc/dualroot/command-line");
  const health = await readHealth(tree);
  const raucOperation = await readRaucOperation(run);
  const permit = await readPermit(options.packageFolder, options.keys);
  const stateFolder = join(root, stateFolderOf(facts.mounts));
  const records = { A: await readSlotRecord(stateFolder, "A"), B: await readSlotRecord(stateFolder, "B") };
  return {
    ...(running === "A" || running === "B" ? { running } : {}),
    ...(system ? { system } : {}),
    slots: await readSlots({ tree, facts, run, root }),
    boot: await readBootPartition({ tree, facts, run, root }),
    grubenv: await readGrubenv(root),
    proven: await exists(join(root, "/boot/slot.proven")),
    ...(health ? { health } : {}),
    ...(raucOperation === undefined ? {} : { raucOperation }),
    fstab: (await tree.text("/etc/fstab")) ?? "",
    ...(commandLine === undefined ? {} : { commandLine }),
    records: { ...(records.A ? { A: records.A } : {}), ...(records.B ? { B: records.B } : {}) },
    ...(facts.counterFloor === undefined ? {} : { counterFloor: facts.counterFloor }),
    ...(permit ? { permit } : {}),
  };
}

async function readSystem(tree: Tree): Promise<SystemFile | undefined> {
  try {
    return systemFileSchema.parse(JSON.parse((await tree.text("/etc/dualroot/system.json")) ?? "null"));
  } catch {
    return undefined;
  }
}
