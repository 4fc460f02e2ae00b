import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepError } from "../../format/errors.ts";
import { adaptOldSystem } from "../old-system/adapt-old-system.ts";
import { ArchiveAttributes } from "../old-system/archive-attributes.ts";
import { compareAttributes } from "../old-system/compare-attributes.ts";
import type { StepOf } from "../plan/step.ts";
import { measuredStored, readStored, type StoredFile } from "../stash/stored-file.ts";
import { readMountTable, unmountBelow } from "../system/mounts.ts";
import { pipelineOutput } from "../system/pipeline-output.ts";
import { runPipeline } from "../system/run-pipeline.ts";
import { tarExtractOptions, tarMetadataOptions } from "../system/tar-options.ts";
import { compareFiles } from "./compare-files.ts";
import { recordWritten } from "./record-written.ts";
import type { StepContext } from "./step-context.ts";

/** Where slot B is mounted meanwhile; beside the target, not below it. */
const slotFolder = "/run/dualroot/slot-b";
const adaptedPaths = ["boot", "etc/fstab", "etc/dualroot"];
const decode = ["zstd", "--decompress", "--quiet", "--stdout"] as const;

/**
 * The old system into slot B. It comes late, when the new system is already whole, and whatever goes wrong here costs slot B
 * and never the conversion: the disk has no old system any more that one could return to.
 */
export async function restoreOldSystem(
  step: StepOf<"restore-old-system">,
  context: StepContext,
): Promise<void> {
  const { run, report, notes, oldSystem } = context;
  // Its capture gave up, and has said why.
  if (oldSystem === undefined) return;
  try {
    await mkdir(slotFolder, { recursive: true });
    await run("mount", ["-t", step.type, "-o", mountOptions(step.type), step.device, slotFolder]);
    await extract(oldSystem, step, context);
    await readBack(oldSystem, step, context);
    notes.push(...(await adaptOldSystem({ ...step, root: slotFolder }, context)));
    await readBackAdapted(context);
    context.isOldSystemRestored = true;
    const note = `The old system (${step.osName}) lives on as slot B; dualroot-rollback leads back to it.`;
    notes.push(note);
    report({ kind: "note", level: "info", message: note });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const note = `The old system could not be put into slot B, so there is no way back to it: ${reason}`;
    notes.push(note);
    report({ kind: "note", level: "warn", message: note });
    // GRUB boots nothing without it, should ever a person choose this slot by hand.
    await rm(join(slotFolder, "boot/slot.cfg"), { force: true }).catch(() => {});
  } finally {
    await run("sync", []);
    if ((await readMountTable()).some(({ target }) => target === slotFolder))
      await unmountBelow(run, slotFolder);
  }
}

function mountOptions(type: string): string {
  return type === "ext4" ? "noatime,noinit_itable" : "noatime";
}

/** Its digest is measured on the way: what is unpacked is what was captured. */
async function extract(
  archive: StoredFile,
  step: StepOf<"restore-old-system">,
  { report }: StepContext,
): Promise<void> {
  const measured = measuredStored(archive);
  await runPipeline({
    report,
    input: { name: archive.name, chunks: measured.chunks },
    commands: [
      decode,
      // A dead clock makes every file "from the future".
      ["tar", ...tarExtractOptions, "--warning=no-timestamp", "--directory", slotFolder],
    ],
    onPosition: (done) =>
      report({ kind: "progress", step: step.kind, done, total: archive.sizeBytes * 2, unit: "bytes" }),
  });
  const digest = measured.digest();
  if (digest !== archive.sha256)
    throw new StepError(`${archive.name} reads back as ${digest} instead of ${archive.sha256}`);
}

/**
 * Every file's content, owner, mode and link target again, from the medium, against the archive. Extended attributes tar does
 * not compare: they are taken out of the archive on its way to tar.
 */
async function readBack(
  archive: StoredFile,
  step: StepOf<"restore-old-system">,
  { run, report }: StepContext,
): Promise<void> {
  await forgetFiles(run);
  const attributes = new ArchiveAttributes();
  const archived = async function* (): AsyncGenerator<Buffer> {
    let done = archive.sizeBytes;
    for await (const chunk of readStored(archive)) {
      yield chunk;
      done += chunk.length;
      report({ kind: "progress", step: step.kind, done, total: archive.sizeBytes * 2, unit: "bytes" });
    }
  };
  const unpacked = async function* (): AsyncGenerator<Buffer> {
    const input = { name: archive.name, chunks: archived() };
    for await (const chunk of pipelineOutput({ report, input, commands: [decode] })) {
      attributes.push(chunk);
      yield chunk;
    }
  };
  await runPipeline({
    report,
    input: { name: archive.name, chunks: unpacked() },
    commands: [
      ["tar", "--compare", ...tarMetadataOptions, "--warning=no-timestamp", "--directory", slotFolder],
    ],
  });
  await compareAttributes(attributes.found, slotFolder, report);
}

/** What was made for its new place: initramfs, slot.cfg, fstab, health gate's settings; and the kernels beside them. */
async function readBackAdapted({ run }: StepContext): Promise<void> {
  const written = new Map<string, string>();
  await recordWritten(
    { written },
    adaptedPaths.map((path) => join(slotFolder, path)),
  );
  await forgetFiles(run);
  const files = [...written].map(([path, sha256]) => ({ path, sha256 }));
  const wrong = await compareFiles(files, { threads: 1, agentFile: "", onProgress: () => {} });
  const [first] = wrong;
  if (first !== undefined)
    throw new StepError(
      `${wrong.length} files of its new boot read back wrong, among them ${files[first]?.path}`,
    );
}

/** Else memory would be compared with itself. */
async function forgetFiles(run: StepContext["run"]): Promise<void> {
  await run("sync", []);
  await writeFile("/proc/sys/vm/drop_caches", "3\n");
}
