import { readFile, stat, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../format/digest.ts";
import { StepError } from "../../format/errors.ts";
import { packageFiles } from "../../format/manifest.ts";
import type { StepOf } from "../plan/step.ts";
import { exists } from "../system/files.ts";
import { compareFiles, type ExpectedFile } from "./compare-files.ts";
import { parseDigestIndex } from "./parse-digest-index.ts";
import { mayDiffer } from "./rewritten-paths.ts";
import type { SlotContext } from "./step-context.ts";

const indexPath = "usr/lib/dualroot/rootfs.sha256";
const namedAtMost = 10;
const threadsAtMost = 4;
const readAheadKibibytes = 2048;

/** Reads every regular file and the rescue system back from the medium and compares them with the package, and with what steps have written. */
export async function verifyTarget(step: StepOf<"verify-target">, context: SlotContext): Promise<void> {
  const { run, report } = context;
  if (context.without.has("read-back")) return;
  if (step.isMountedAnew !== true) {
    await run("sync", []);
    await writeFile("/proc/sys/vm/drop_caches", "3\n"); // else we would compare memory with itself
  }
  await readFarAhead(step.target);
  const index = await readFile(join(step.target, indexPath));
  if (sha256Hex(index) !== step.indexSha256)
    throw new StepError(`${indexPath} reads back different from what was packed`);

  const listed = parseDigestIndex(index.toString("latin1"));
  const { written } = context;
  const packed: ExpectedFile[] = [
    ...listed.map(({ path, sha256 }) => ({ path: `${bytesOf(step.target)}/${path}`, sha256 })),
    ...(step.bootFolder === undefined ? [] : rescueFiles(step.bootFolder, context.manifest)),
  ];
  const files = [
    ...packed.map(({ path, sha256 }) => ({ path, sha256: written.get(path) ?? sha256 })),
    ...writtenBeside(packed, written),
  ];
  const agentFile = join(context.runtimeFolder, "usr/lib/dualroot/agent.mjs");
  const threads = (await exists(agentFile)) ? Math.min(threadsAtMost, availableParallelism()) : 1;
  const different = await compareFiles(files, {
    threads,
    agentFile,
    onProgress: (done) =>
      report({ kind: "progress", step: step.kind, done, total: files.length, unit: "files" }),
  });
  const nameOf = (position: number): string =>
    Buffer.from(listed[position]?.path ?? files[position]!.path, "latin1").toString("utf8");
  // Taken away on purpose, or written where nothing was recorded.
  const isOurs = (position: number): boolean =>
    position < listed.length &&
    !written.has(files[position]!.path) &&
    mayDiffer(`/${nameOf(position)}`, context.changed);
  const wrong = different.filter((position) => !isOurs(position)).map(nameOf);
  const expected = [...listed.keys()]
    .filter((position) => files[position]!.sha256 !== packed[position]!.sha256)
    .concat(different.filter(isOurs))
    .map(nameOf);
  if (wrong.length > 0) {
    const names = wrong.slice(0, namedAtMost).join(", ");
    throw new StepError(
      `${wrong.length} of ${files.length} files read back wrong: ${names}${wrong.length > namedAtMost ? ", …" : ""}`,
      {
        hint: "The disk or the memory of this machine is damaged; see the kernel's messages with dmesg.",
      },
    );
  }
  const equal = listed.length - expected.length;
  const rewritten =
    expected.length === 0
      ? ""
      : `; ${expected.length} were rewritten for this gateway: ${expected.join(", ")}`;
  report({ kind: "detail", message: `${equal} files read back equal to the package${rewritten}` });
  context.notes.push(
    `${equal} of ${listed.length} files were read back equal to the package; ${expected.length} were rewritten for this gateway.`,
  );
}

/** What steps have written under names that the package does not have. */
function writtenBeside(
  packed: readonly ExpectedFile[],
  written: ReadonlyMap<string, string>,
): ExpectedFile[] {
  const names = new Set(packed.map(({ path }) => path));
  return [...written].filter(([path]) => !names.has(path)).map(([path, sha256]) => ({ path, sha256 }));
}

/** Kernel and ramdisk of the rescue system, as the manifest has them. */
function rescueFiles(bootFolder: string, { files }: SlotContext["manifest"]): ExpectedFile[] {
  const names: string[] = [packageFiles.kernel, packageFiles.ramdisk];
  return files
    .filter(({ name }) => names.includes(name))
    .map(({ name, sha256 }) => ({ path: bytesOf(join(bootFolder, name)), sha256 }));
}

/** Half of the time goes into waiting for the disk otherwise. Not every kernel and device has the knob. */
async function readFarAhead(folder: string): Promise<void> {
  const { dev } = await stat(folder);
  // Linux' own packing: 12 bits of major number above 8 bits of minor; 12 more bits of minor on top.
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const knob = `/sys/dev/block/${major}:${minor}/bdi/read_ahead_kb`;
  await writeFile(knob, `${readAheadKibibytes}\n`).catch(() => {});
}

function bytesOf(path: string): string {
  return Buffer.from(path).toString("latin1");
}
