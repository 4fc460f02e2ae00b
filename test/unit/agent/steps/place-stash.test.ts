import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { StoredFile } from "../../../../agent/stash/stored-file.ts";
import { stashRanges } from "../../../../agent/stash/stash-ranges.ts";
import { placeStash } from "../../../../agent/steps/place-stash.ts";
import type { StepContext } from "../../../../agent/steps/step-context.ts";
import { sha256Hex } from "../../../../format/digest.ts";
import { MiB } from "../../../../format/sizes.ts";
import { stashSchema, type Stash } from "../../../../format/stash.ts";
import { recordingRun } from "../recording-run.ts";
import { stepContext } from "./step-context.ts";

const folder = await mkdtemp(join(tmpdir(), "dualroot-place-"));
afterAll(() => rm(folder, { recursive: true }));
const disk = join(folder, "disk");
const contents = new Map([
  ["vmlinuz-convert", Buffer.alloc(70_001, "kernel ")],
  ["identity.json", Buffer.from("{}")],
  ["preserved.tar", Buffer.alloc(0)],
]);
const range = (startBytes: number, sizeBytes: number) => ({ startBytes, sizeBytes });
const step = {
  kind: "place-stash" as const,
  title: "",
  disk,
  loader: range(8 * MiB, MiB),
  json: range(9 * MiB, 65_536),
  files: [
    { name: "vmlinuz-convert", range: range(10 * MiB, 73_728) },
    { name: "identity.json", range: range(11 * MiB, 4096) },
    { name: "preserved.tar", range: range(12 * MiB, 4096) },
  ],
};
const stash: Stash = {
  format: 1,
  manifestSha256: "a".repeat(64),
  disk: { name: "vda", sizeBytes: 16 * MiB },
  oldRoot: { filesystemUuid: "1-2", filesystemType: "xfs", osName: "Öld" },
  seed: "0".repeat(32),
  consoles: [],
  bootMethod: "grub",
  trust: { keyId: "k", role: "dev" },
  handedOverAt: 1,
  files: [...contents].map(([name, bytes]) => ({ name, sizeBytes: bytes.length, sha256: sha256Hex(bytes) })),
};

beforeEach(async () => {
  const file = await open(disk, "w");
  await file.truncate(16 * MiB);
  await file.close();
  for (const [name, bytes] of contents) await writeFile(join(folder, name), bytes);
});

function inMemory(name: string): StoredFile {
  const sizeBytes = contents.get(name)!.length;
  const sha256 = sha256Hex(contents.get(name)!);
  return { name, path: join(folder, name), ranges: [range(0, sizeBytes)], sizeBytes, sha256 };
}

function context(onFlush: () => Promise<void> = async () => {}): StepContext {
  const recorded = recordingRun();
  const run: StepContext["run"] = async (command, args, options) => {
    if (command === "blockdev") await onFlush();
    return recorded.run(command, args, options);
  };
  return stepContext({ run, stash, stored: inMemory });
}

test("everything lies on the disk, and stash.json there says where", async () => {
  const after = context();
  await placeStash(step, after);
  const bytes = await readFile(disk);
  for (const { name, range } of step.files) {
    const content = contents.get(name)!;
    expect(bytes.subarray(range.startBytes, range.startBytes + content.length).equals(content), name).toBe(
      true,
    );
    expect(after.stored(name)).toMatchObject({ path: disk, ranges: [range], sizeBytes: content.length });
  }
  const { place } = after;
  if (!place) throw new Error("no place");
  const json = bytes.subarray(place.range.startBytes, place.range.startBytes + place.range.sizeBytes);
  expect(json.length % 512).toBe(0);
  expect(sha256Hex(json)).toBe(place.sha256);
  const read = stashSchema.parse(JSON.parse(json.toString("utf8")));
  expect(read).toEqual(after.stash);
  expect(read).toMatchObject({ oldRoot: stash.oldRoot, space: { loader: step.loader } });
  expect(stashRanges(read, place)).toContainEqual(range(8 * MiB, MiB + json.length));
});

test("a disk that gives back something else is noticed, and the copy in memory stays the one that counts", async () => {
  const after = context(async () => {
    const file = await open(disk, "r+");
    await file.write(Buffer.from([0]), 0, 1, 10 * MiB + 70_000);
    await file.close();
  });
  await expect(placeStash(step, after)).rejects.toThrow(/vmlinuz-convert reads back different/);
  expect(after.stored("vmlinuz-convert").path).toBe(join(folder, "vmlinuz-convert"));
});
