import { UserError } from "../../../format/errors.ts";
import { reportStep } from "../../../format/events.ts";
import { stashFolder } from "../../../format/stash.ts";
import { failuresOf, runChecks } from "../../checks/run-checks.ts";
import type { BootMethod } from "../../checks/boot-method.ts";
import type { StashMode } from "../../checks/stash-mode.ts";
import { devicePath } from "../../facts/block-devices.ts";
import { readDiskMap } from "../../facts/disk-map.ts";
import { mountHolding } from "../../facts/parse-proc.ts";
import { openTree } from "../../facts/tree.ts";
import { capturePreserved } from "../../identity/capture.ts";
import { roomForOldSystem } from "../../old-system/plan-old-system.ts";
import { judgeStashRanges, stashRegion } from "../../plan/judge-stash-ranges.ts";
import type { StageOneContext } from "../context.ts";
import { planFromSurvey, planInputOf, type Survey } from "../survey.ts";
import { undoStash } from "./undo-stash.ts";
import { safeguardsLeftOut } from "./safeguards.ts";
import type { StashFilesystem } from "./stash-filesystem.ts";
import type { StashInput, WrittenStash } from "./stash-input.ts";
import { writeDiskStash, type DiskStash } from "./write-disk-stash.ts";
import { writeRamStash } from "./write-ram-stash.ts";

/** Writes the stash where it was expected to go; when the disk has no places for it after all, in ram mode if that may be. */
export async function writeStash(
  context: StageOneContext,
  survey: Survey,
  options: { method: BootMethod; filesystem: StashFilesystem; signal: AbortSignal },
): Promise<WrittenStash & { mode: StashMode }> {
  const { report, places, run } = context;
  const input = stashInput(context, survey, options);
  const title = "Write the stash";
  return reportStep(report, { step: "stash", title }, async () => {
    if (survey.stashMode.mode === "disk") {
      const written = await tryDisk(context, survey, input);
      if (written.stashSha256 !== undefined) return { ...written, mode: "disk" };
      await undoStash(places, run);
      refuseUnlessRam(survey, written.reason);
      report({ kind: "note", level: "warn", message: `Ram mode: ${written.reason}.` });
    }
    return { ...(await writeRamStash(input)), mode: "ram" };
  });
}

async function tryDisk(context: StageOneContext, survey: Survey, input: StashInput): Promise<DiskStash> {
  const { run, report } = context;
  const mount = mountHolding(survey.facts.mounts, stashFolder);
  const map = mount && (await readDiskMap(openTree("/"), run, mount.device));
  if (map?.disk === undefined) return { reason: map?.unsupported ?? `no filesystem holds ${stashFolder}` };
  const plan = planFromSurvey(survey);
  const oldSystem = roomForOldSystem(survey);
  if (plan.disk !== devicePath(map.disk)) return { reason: `${stashFolder} lies on ${map.disk}` };
  const written = await writeDiskStash({
    ...input,
    run,
    disk: plan.disk,
    devicePieces: map.pieces,
    region: stashRegion(plan),
    judge: (ranges) => judgeStashRanges(planInputOf(survey), ranges),
    ...(oldSystem ? { oldSystem } : {}),
    without: safeguardsLeftOut(process.env["DUALROOT_WITHOUT"], survey.key.role, report),
  });
  if (written.stashSha256 !== undefined) {
    const { stashAt, attempts, elsewhereBytes } = written;
    const message = `stash: sector ${stashAt?.sector}, found in ${attempts} attempts, ${elsewhereBytes} bytes elsewhere given back`;
    report({ kind: "detail", message });
    if (oldSystem && !written.keepsOldSystem) {
      const text = "There is no room on the disk for an archive of the old system.";
      report({ kind: "note", level: "warn", message: text });
    }
  }
  return written;
}

/** The checks again, knowing now that the disk will not do. */
function refuseUnlessRam(survey: Survey, reason: string): void {
  const { checkInput } = survey;
  const options = { ...checkInput.options, againstDisk: [reason] };
  const failures = failuresOf(runChecks({ ...checkInput, options }));
  if (failures.length > 0) throw new UserError(failures, "refused");
}

function stashInput(
  { args, places, run, report }: StageOneContext,
  survey: Survey,
  { method, filesystem, signal }: { method: BootMethod; filesystem: StashFilesystem; signal: AbortSignal },
): StashInput {
  return {
    folder: places.stash,
    packageFolder: args.packageFolder,
    manifest: survey.manifest,
    manifestSha256: survey.manifestSha256,
    identity: survey.identity,
    writePreserved: async (output) => {
      const { paths } = survey.manifest.preserve;
      const { missing } = await capturePreserved({ root: places.root, paths, output, run });
      for (const path of missing) {
        const message = `${path} is not on this gateway, so it is not carried over.`;
        report({ kind: "note", level: "info", message });
      }
    },
    facts: {
      ...survey.planned,
      oldRoot: {
        filesystemUuid: filesystem.uuid,
        filesystemType: filesystem.type,
        osName: survey.facts.osName,
      },
      bootMethod: method,
      trust: { keyId: survey.key.keyId, role: survey.key.role },
      handedOverAt: Math.floor(Date.now() / 1000),
    },
    signal,
    onProgress: (done, total) => report({ kind: "progress", step: "stash", done, total, unit: "bytes" }),
  };
}
