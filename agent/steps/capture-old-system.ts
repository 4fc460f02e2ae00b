import { open, readFile, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { StepError, userError } from "../../format/errors.ts";
import { formatSize, MiB } from "../../format/sizes.ts";
import { workingBytes } from "../checks/ramdisk-memory.ts";
import { parseMemory } from "../facts/parse-proc.ts";
import { exclusionOptions } from "../old-system/exclusions.ts";
import { leftOutBytes } from "../old-system/left-out-bytes.ts";
import { parseFstab } from "../old-system/parse-fstab.ts";
import { compressedShare } from "../old-system/plan-old-system.ts";
import { withOldSystem } from "../old-system/with-old-system.ts";
import type { StepOf } from "../plan/step.ts";
import { hashStored, type StoredFile } from "../stash/stored-file.ts";
import { writeRanges } from "../stash/write-ranges.ts";
import { readTextIfExists } from "../system/files.ts";
import { pipelineOutput } from "../system/pipeline-output.ts";
import { tarMetadataOptions } from "../system/tar-options.ts";
import type { StepContext } from "./step-context.ts";

const memoryFile = "/run/dualroot/old-system.tar.zst";
/** Beside what the conversion itself will need. */
const spareBytes = 64 * MiB;

/**
 * The old system into one archive: in the stash where stage 1 made room, else in memory. The disk is changed nowhere else, so
 * a failure costs slot B (`auto`), or the conversion is refused and the old system boots again (`require`).
 */
export async function captureOldSystem(
  step: StepOf<"capture-old-system">,
  context: StepContext,
): Promise<void> {
  try {
    context.oldSystem = await withOldSystem(context.run, step, (folder) => capture(folder, step, context));
  } catch (error) {
    await rm(memoryFile, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    if (step.wanted === "require") {
      throw userError(
        {
          code: "old-system-not-kept",
          message: `The old system cannot be kept as slot B, which this release requires: ${reason}`,
          hint: "Nothing was changed. Make the old system smaller, or the disk or the memory larger.",
        },
        "refused",
        { cause: error },
      );
    }
    const note = `The old system is not kept as slot B, so there will be no way back to it: ${reason}`;
    context.notes.push(note);
    context.report({ kind: "note", level: "warn", message: note });
  }
}

async function capture(
  folder: string,
  step: StepOf<"capture-old-system">,
  context: StepContext,
): Promise<StoredFile> {
  const mountPoints = step.filesystems.map(({ mountPoint }) => mountPoint);
  const leftOut = [...(await leftOutBytes(folder)).values()].reduce((sum, bytes) => sum + bytes, 0);
  const used = (await usedBytes(folder, mountPoints)) - leftOut;
  if (used > step.capacityBytes) {
    throw new StepError(
      `it takes ${formatSize(used)}, and slot B has room for ${formatSize(step.capacityBytes)}`,
    );
  }
  const place = step.ranges
    ? { path: step.disk, ranges: step.ranges }
    : await memoryPlace(step, used, context);
  const fstab = parseFstab((await readTextIfExists(join(folder, "etc/fstab"))) ?? "");
  const written = await writeRanges(
    place.path,
    place.ranges,
    withProgress(
      pipelineOutput({
        report: context.report,
        commands: [
          [
            "tar",
            "--create",
            "--file=-",
            `--directory=${folder}`,
            "--format=posix",
            "--sparse",
            "--warning=no-file-ignored", // sockets
            ...tarMetadataOptions,
            ...exclusionOptions(fstab, mountPoints),
            ".",
          ],
          ["zstd", "-1", "--threads=0", "--quiet", "--stdout"],
        ],
      }),
      (done) =>
        context.report({
          kind: "progress",
          step: step.kind,
          done: Math.min(done, used * compressedShare),
          total: used * compressedShare,
          unit: "bytes",
        }),
    ),
  );
  const archive = { name: "the archive of the old system", ...place, ...written };
  if (step.ranges) {
    // Else we would read what memory still holds of it.
    await context.run("blockdev", ["--flushbufs", step.disk]);
    if ((await hashStored(archive)) !== archive.sha256)
      throw new StepError("its archive does not read back from the disk as it was written");
  }
  const where = step.ranges ? "in the stash" : "in memory: a power cut would lose it";
  context.report({
    kind: "detail",
    message: `The old system: ${formatSize(used)} in use, ${formatSize(written.sizeBytes)} as an archive ${where}`,
  });
  return archive;
}

async function usedBytes(folder: string, mountPoints: readonly string[]): Promise<number> {
  let used = 0;
  for (const mountPoint of mountPoints) {
    const { blocks, bfree, bsize } = await statfs(join(folder, mountPoint));
    used += (blocks - bfree) * bsize;
  }
  return used;
}

/** Memory must clearly allow it: what unpacking the new system needs comes first. */
async function memoryPlace(
  step: StepOf<"capture-old-system">,
  used: number,
  context: StepContext,
): Promise<Pick<StoredFile, "path" | "ranges">> {
  const { availableBytes } = parseMemory(await readFile("/proc/meminfo", "utf8"));
  const room = availableBytes - workingBytes - spareBytes;
  const needed = used * compressedShare;
  if (step.wanted === "require") throw new StepError("the stash has no room for its archive");
  if (room < needed) {
    throw new StepError(
      `the stash has no room for its archive, and memory has none: ${formatSize(needed)} are needed, ${formatSize(Math.max(0, room))} can be spared`,
    );
  }
  const note = "The old system's archive is in memory only: a power cut during the conversion costs slot B.";
  context.notes.push(note);
  context.report({ kind: "note", level: "warn", message: note });
  await rm(memoryFile, { force: true });
  await (await open(memoryFile, "w", 0o600)).close();
  return { path: memoryFile, ranges: [{ startBytes: 0, sizeBytes: Math.floor(room) }] };
}

async function* withProgress(
  source: AsyncIterable<Buffer>,
  onBytes: (done: number) => void,
): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of source) {
    yield chunk;
    done += chunk.length;
    onBytes(done);
  }
}
