import type { Manifest } from "../../format/manifest.ts";
import { oldSystemSchema, type OldFilesystem, type OldSystem } from "../../format/stash.ts";
import type { Facts } from "../facts/facts.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import type { Run } from "../system/run.ts";
import { capturedMounts } from "./captured-mounts.ts";
import { judgeOldSystem } from "./plan-old-system.ts";

/** What stage 1 writes into stash.json so that stage 2 keeps the old system; undefined when it is not kept. */
export async function describeOldSystem(options: {
  manifest: Manifest;
  facts: Facts;
  run: Run;
}): Promise<OldSystem | undefined> {
  const { facts, run } = options;
  const { wanted, reason, canTryMemory } = judgeOldSystem(options);
  if (wanted === "never" || (reason !== undefined && !canTryMemory)) return undefined;
  const filesystems: OldFilesystem[] = [];
  for (const { source, target, type } of capturedMounts(facts)) {
    const device = target === "/" ? (facts.root?.device ?? source) : source;
    const { uuid } = await probeSignatures(run, device);
    // Half a system, without its /var say, is none.
    if (uuid === undefined) return undefined;
    filesystems.push({ uuid, type, mountPoint: target });
  }
  const parsed = oldSystemSchema.safeParse({
    wanted,
    osName: facts.osName,
    kernelRelease: facts.kernelRelease,
    commandLine: facts.kernelCommandLine,
    filesystems,
  });
  return parsed.success ? parsed.data : undefined;
}
