import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { sha256Hex } from "../../format/digest.ts";
import { StepError } from "../../format/errors.ts";
import type { StepOf } from "../plan/step.ts";
import { parseDigestIndex } from "./parse-digest-index.ts";
import { mayDiffer } from "./rewritten-paths.ts";
import type { StepContext } from "./step-context.ts";

const indexPath = "usr/lib/dualroot/rootfs.sha256";
const namedAtMost = 10;
const turnMs = 100;

/** Reads every regular file back from the medium and compares it with the package's index. */
export async function verifyTarget(step: StepOf<"verify-target">, context: StepContext): Promise<void> {
  const { run, report } = context;
  await run("sync", []);
  await writeFile("/proc/sys/vm/drop_caches", "3\n"); // else we would compare memory with itself
  const index = await readFile(join(step.target, indexPath));
  if (sha256Hex(index) !== step.indexSha256)
    throw new StepError(`${indexPath} reads back different from what was packed`);

  const files = parseDigestIndex(index.toString("latin1"));
  const wrong: string[] = [];
  const expected: string[] = [];
  let turn = performance.now();
  for (const [position, file] of files.entries()) {
    const pathBytes = Buffer.from(file.path, "latin1"); // names are bytes, not always UTF-8
    const path = pathBytes.toString("utf8");
    if (hashFile(Buffer.concat([Buffer.from(`${step.target}/`), pathBytes])) !== file.sha256) {
      (mayDiffer(`/${path}`, context.changed) ? expected : wrong).push(path);
    }
    if (performance.now() - turn < turnMs) continue;
    report({ kind: "progress", step: step.kind, done: position + 1, total: files.length, unit: "files" });
    await nextTurn();
    turn = performance.now();
  }
  if (wrong.length > 0) {
    const names = wrong.slice(0, namedAtMost).join(", ");
    throw new StepError(
      `${wrong.length} of ${files.length} files read back wrong: ${names}${wrong.length > namedAtMost ? ", …" : ""}`,
      {
        hint: "The disk or the memory of this machine is damaged; see the kernel's messages with dmesg.",
      },
    );
  }
  const rewritten =
    expected.length === 0
      ? ""
      : `; ${expected.length} were rewritten for this gateway: ${expected.join(", ")}`;
  report({
    kind: "detail",
    message: `${files.length - expected.length} files read back equal to the package${rewritten}`,
  });
  context.notes.push(
    `${files.length - expected.length} of ${files.length} files were read back equal to the package; ${expected.length} were rewritten for this gateway.`,
  );
}

const buffer = Buffer.allocUnsafe(256 * 1024);

/** Synchronous: ten thousand small files cost more in promises than in reading. undefined when it cannot be read. */
function hashFile(path: Buffer): string | undefined {
  let descriptor;
  try {
    descriptor = openSync(path, "r");
    const hash = createHash("sha256");
    for (;;) {
      const length = readSync(descriptor, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, length));
    }
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
