import { StepError } from "../../format/errors.ts";
import { stashSchema, stashSectorBytes, type Stash } from "../../format/stash.ts";
import { sha256Hex } from "../../format/digest.ts";
import { storedOnDisk } from "../stash/stored-on-disk.ts";
import type { StepOf } from "../plan/step.ts";
import { hashStored, readStored } from "../stash/stored-file.ts";
import { writeRanges } from "../stash/write-ranges.ts";
import type { StepContext } from "./step-context.ts";

/** Ram mode: the stash gets a place on the disk, and is used from there when all of it reads back as it should. */
export async function placeStash(step: StepOf<"place-stash">, context: StepContext): Promise<void> {
  const { run, report, stash, stored, without } = context;
  const total = step.files.reduce((sum, { name }) => sum + stored(name).sizeBytes, 0);
  let done = 0;
  for (const { name, range } of step.files) {
    const file = stored(name);
    await writeRanges(step.disk, [range], readStored(file));
    done += file.sizeBytes;
    report({ kind: "progress", step: step.kind, done: done / 2, total, unit: "bytes" });
  }
  const placed: Stash = stashSchema.parse({
    ...stash,
    files: stash.files.map((file) => ({
      ...file,
      ranges: step.files.filter(({ name }) => name === file.name).map(({ range }) => range),
    })),
    space: { loader: step.loader },
  });
  const json = padToSectors(JSON.stringify(placed));
  if (json.length > step.json.sizeBytes)
    throw new StepError(`stash.json of ${json.length} bytes does not fit ${step.json.sizeBytes} bytes`);
  const range = { startBytes: step.json.startBytes, sizeBytes: json.length };
  await writeRanges(step.disk, [range], oneChunk(json));

  await run("blockdev", ["--flushbufs", step.disk]); // the medium answers, not the cache
  const onDisk = storedOnDisk(placed, step.disk);
  const place = { disk: step.disk, range, sha256: sha256Hex(json) };
  const whole = { name: "stash.json", path: step.disk, ranges: [range], sizeBytes: json.length };
  const wanted = [...step.files.map(({ name }) => onDisk(name)), { ...whole, sha256: place.sha256 }];
  for (const file of without.has("read-back") ? [] : wanted) {
    const found = await hashStored(file);
    if (found !== file.sha256)
      throw new StepError(`${file.name} reads back different from what was written to ${step.disk}`, {
        hint: "The disk is failing.",
      });
    done += file.sizeBytes;
    report({ kind: "progress", step: step.kind, done: done / 2, total, unit: "bytes" });
  }
  context.stash = placed;
  context.stored = onDisk;
  context.place = place;
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Read from the raw disk by whole sectors; JSON does not mind spaces. */
function padToSectors(text: string): Buffer {
  const length = Math.ceil(Buffer.byteLength(text) / stashSectorBytes) * stashSectorBytes;
  return Buffer.concat([Buffer.from(text)], length).fill(" ", Buffer.byteLength(text));
}
