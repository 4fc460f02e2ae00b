import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { reportStep } from "../../format/events.ts";
import { stashFolder } from "../../format/stash.ts";
import type { BootMethod } from "../checks/boot-method.ts";
import type { Facts } from "../facts/facts.ts";
import { mountHolding } from "../facts/parse-proc.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { capturePreserved } from "../identity/capture.ts";
import type { Run } from "../system/run.ts";
import { readBootId, writeAttempt, type Attempt } from "./attempt.ts";
import { ramdiskCommandLine } from "./boot/command-line.ts";
import { armGrub } from "./boot/grub.ts";
import { armKexec } from "./boot/kexec.ts";
import type { StageOneContext } from "./context.ts";
import type { Survey } from "./survey.ts";
import { undoPreparation } from "./undo.ts";
import { writeStash } from "./write-stash.ts";

/** Writes the stash and arms the ramdisk. Whoever calls this undoes it when it throws. */
export async function prepare(
  context: StageOneContext,
  survey: Survey,
  method: BootMethod,
  signal: AbortSignal,
): Promise<void> {
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
  const title = "Write the stash";
  const { filesystem, stashSha256 } = await reportStep(report, { step: "stash", title }, async () => {
    const filesystem = await stashFilesystem(survey.facts, run);
    return { filesystem, ...(await stash(context, survey, method, filesystem, signal)) };
  });
  const commandLine = ramdiskCommandLine({
    filesystemUuid: filesystem.uuid,
    stashPath: filesystem.path,
    stashSha256,
    consoles: survey.planned.consoles,
    rehearse: args.rehearse,
  });
  const packageFolder = join(places.stash, "package");
  signal.throwIfAborted();
  await reportStep(report, { step: "arm", title: `Arm the ramdisk (${method})` }, async () => {
    if (method === "kexec") await armKexec({ packageFolder, commandLine, run });
    else await armGrub({ packageFolder, commandLine, facts: survey.facts, run });
    await writeAttempt(places, { ...attempt, state: "armed" });
  });
}

function stash(
  context: StageOneContext,
  survey: Survey,
  method: BootMethod,
  filesystem: { uuid: string; type: string },
  signal: AbortSignal,
): Promise<{ stashSha256: string }> {
  const { args, places, run, report } = context;
  return writeStash({
    folder: places.stash,
    packageFolder: args.packageFolder,
    manifest: survey.manifest,
    manifestSha256: survey.manifestSha256,
    identity: survey.identity,
    writePreserved: async (output) => {
      const { paths } = survey.manifest.preserve;
      const { missing } = await capturePreserved({ root: places.root, paths, output, run });
      for (const path of missing) {
        report({
          kind: "note",
          level: "info",
          message: `${path} is not on this gateway, so it is not carried over.`,
        });
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
  });
}

/** The filesystem the stash lies on, and the stash's path from its top: /var may be a filesystem of its own. */
async function stashFilesystem(
  facts: Facts,
  run: Run,
): Promise<{ uuid: string; type: string; path: string }> {
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
