import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { reportStep } from "../../format/events.ts";
import type { BootMethod } from "../checks/boot-method.ts";
import type { StashMode } from "../checks/stash-mode.ts";
import { safeguards } from "../system/safeguards.ts";
import { readBootId, writeAttempt, type Attempt } from "./attempt.ts";
import { ramdiskCommandLine } from "./boot/command-line.ts";
import { armGrub } from "./boot/grub.ts";
import { armKexec } from "./boot/kexec.ts";
import type { StageOneContext } from "./context.ts";
import type { Survey } from "./survey.ts";
import { stashFilesystem } from "./stash/stash-filesystem.ts";
import { writeStash } from "./stash/write-stash.ts";
import { undoPreparation } from "./undo.ts";

/** Writes the stash and arms the ramdisk; says where the stash went. Whoever calls this undoes it when it throws. */
export async function prepare(
  context: StageOneContext,
  survey: Survey,
  method: BootMethod,
  signal: AbortSignal,
): Promise<StashMode> {
  const { args, places, run, report } = context;
  await undoPreparation(places, run); // of an earlier attempt
  await rm(places.report, { force: true });
  await mkdir(places.base, { recursive: true, mode: 0o700 });
  const attempt: Attempt = {
    format: 1,
    release: survey.release,
    bootMethod: method,
    bootId: await readBootId(),
    rehearse: args.rehearse,
    state: "preparing",
  };
  await writeAttempt(places, attempt);
  const filesystem = await stashFilesystem(survey.facts, run);
  const { mode, stashSha256, stashAt } = await writeStash(context, survey, { method, filesystem, signal });
  const commandLine = ramdiskCommandLine({
    filesystemUuid: filesystem.uuid,
    stashPath: filesystem.path,
    stashSha256,
    ...(stashAt ? { stashAt } : {}),
    consoles: survey.planned.consoles,
    rehearse: args.rehearse,
    without: safeguards.filter((name) => process.env["DUALROOT_WITHOUT"]?.split(",").includes(name)),
  });
  const packageFolder = mode === "disk" ? args.packageFolder : join(places.stash, "package");
  signal.throwIfAborted();
  await reportStep(report, { step: "arm", title: `Arm the ramdisk (${method})` }, async () => {
    if (method === "kexec") await armKexec({ packageFolder, commandLine, run });
    else await armGrub({ packageFolder, commandLine, facts: survey.facts, run });
    await writeAttempt(places, { ...attempt, stash: mode, state: "armed" });
  });
  return mode;
}
