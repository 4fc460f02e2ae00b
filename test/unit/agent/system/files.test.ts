import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { copyMeasured, FileTooLargeError, readBounded, sha256File } from "../../../../agent/system/files.ts";
import { sha256Hex } from "../../../../format/digest.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MiB = 1024 * 1024;

test.each([0, 1, MiB - 1, MiB, MiB + 1, 3 * MiB + 17])(
  "%d bytes are copied and measured, piece by piece",
  async (size) => {
    const content = Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31) >> 3));
    const [from, to] = [join(folder, `from-${size}`), join(folder, `to-${size}`)];
    writeFileSync(from, content);
    writeFileSync(to, "older and longer content");
    const seen: number[] = [];
    expect(await copyMeasured(from, to, (done) => seen.push(done))).toBe(sha256Hex(content));
    expect(readFileSync(to).equals(content)).toBe(true);
    expect(seen.at(-1) ?? 0).toBe(size);
    expect(await sha256File(from)).toBe(sha256Hex(content));
  },
);

test("a copy that cannot be written fails", async () => {
  const from = join(folder, "source");
  writeFileSync(from, "some");
  await expect(copyMeasured(from, "/dev/full")).rejects.toThrow("ENOSPC");
});

test.each([0, 1, 16 * 1024, 16 * 1024 + 1, 100_000])(
  "%d bytes are read whole up to the limit",
  async (size) => {
    const path = join(folder, `bounded-${size}`);
    const content = Buffer.from(Uint8Array.from({ length: size }, (_, index) => index * 7));
    writeFileSync(path, content);
    expect((await readBounded(path, size))?.equals(content)).toBe(true);
    expect((await readBounded(path, 4 * MiB))?.equals(content)).toBe(true);
    if (size > 0) await expect(readBounded(path, size - 1)).rejects.toThrow(FileTooLargeError);
  },
);

test("a file that does not tell its size is read, one that is not there is undefined", async () => {
  expect((await readBounded("/proc/self/status", MiB))?.toString()).toContain("VmRSS");
  expect(await readBounded(join(folder, "nothing"), MiB)).toBeUndefined();
});
