import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import { serveFaultyDisk, type FaultyDisk } from "../../power/faults/faulty-disk.ts";

const run = createRun(silent);
let folder: string;
let disk: FaultyDisk;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-nbd-"));
  await writeFile(join(folder, "disk.img"), "");
  await truncate(join(folder, "disk.img"), 1024 * 1024);
  disk = await serveFaultyDisk(join(folder, "disk.img"), join(folder, "socket"));
});
afterEach(async () => {
  await disk.close();
  await rm(folder, { recursive: true });
});

/** QEMU's own client, as a machine's disk would use it. */
async function qemuIo(...commands: readonly string[]): Promise<string> {
  const words = commands.flatMap((command) => ["-c", command]);
  const { stdout, stderr } = await run(
    "qemu-io",
    ["-f", "raw", "-t", "writethrough", ...words, disk.address],
    {
      acceptExitCodes: [1],
      timeoutSeconds: 20,
    },
  );
  return stdout + stderr;
}

async function byteAt(offset: number): Promise<number | undefined> {
  return (await readFile(join(folder, "disk.img")))[offset];
}

test("without a fault it is a disk", async () => {
  const output = await qemuIo(
    "write -P 0x5a 4096 8192",
    "flush",
    "read -P 0x5a 4096 8192",
    "write -z 4096 512",
  );
  expect(output).not.toMatch(/error|failed/i);
  expect(await byteAt(4096 + 512)).toBe(0x5a);
  expect(await byteAt(4096)).toBe(0);
  expect(disk.done).toEqual([]);
});

test("a dropped write is answered, and not there", async () => {
  disk.inject({ kind: "drop", of: "write", range: { startBytes: 0, sizeBytes: 512 }, times: 1 });
  expect(await qemuIo("write -P 0x5a 4096 512", "write -P 0x5a 0 512")).not.toMatch(/error|failed/i);
  expect([await byteAt(0), await byteAt(4096)]).toEqual([0, 0x5a]);
  expect(disk.done).toMatchObject([{ offset: 0, length: 512 }]);
  await qemuIo("write -P 0x5a 0 512");
  expect(await byteAt(0)).toBe(0x5a);
});

test("a flipped write differs in one bit", async () => {
  disk.inject({ kind: "flip", of: "write", times: 1 });
  await qemuIo("write -P 0x5a 0 1024");
  expect([await byteAt(511), await byteAt(512), await byteAt(513)]).toEqual([0x5a, 0x5b, 0x5a]);
});

test("a fault that sticks stays with the place that it hit first", async () => {
  disk.inject({ kind: "fail", of: "write", leastBytes: 1024, times: 10, sticks: true });
  const output = await qemuIo("write 0 512", "write 8192 1024", "write 4096 1024", "write 8192 512");
  expect(output.match(/Input\/output error/g)).toHaveLength(2);
  expect(disk.done.map(({ offset }) => offset)).toEqual([8192, 8192]);
});

test("a spot that cannot be read is well again once it is written", async () => {
  const range = { startBytes: 4096, sizeBytes: 512 };
  disk.inject({ kind: "fail", of: "read", range, times: 10, sticks: true });
  const before = await qemuIo("read 4096 512", "write 8192 512", "read 4096 512");
  expect(before.match(/read failed: Input\/output error/g)).toHaveLength(2);
  expect(await qemuIo("write -P 0x5a 4096 512", "read -P 0x5a 4096 512")).not.toMatch(/error|failed/i);
});

test("reads and flushes can fail too", async () => {
  disk.inject({ kind: "fail", of: "read", range: { startBytes: 4096, sizeBytes: 1 }, times: 1 });
  disk.inject({ kind: "fail", of: "flush", times: 1 });
  expect(await qemuIo("read 0 4096", "read 4096 512")).toMatch(/read failed: Input\/output error/);
  await qemuIo("write 0 512", "flush");
  expect(disk.done.map(({ fault }) => fault.of)).toEqual(["read", "flush"]);
});
