import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  mkdirSync,
  statSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { runPipeline } from "../../../../agent/system/run-pipeline.ts";
import { silent, type Event } from "../../../../format/events.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dualroot-pipeline-"));
  mkdirSync(join(folder, "content"));
  writeFileSync(join(folder, "content/random"), randomBytes(3_000_000));
  execFileSync("tar", ["-cJf", join(folder, "good.tar.xz"), "-C", join(folder, "content"), "."]);
  return () => rmSync(folder, { recursive: true });
});

function extract(archive: string, target: string, events: Event[] = []) {
  mkdirSync(target);
  const positions: number[] = [];
  const done = runPipeline({
    report: (event) => events.push(event),
    input: { file: archive },
    commands: [
      ["xz", "--decompress", "--stdout"],
      ["tar", "--extract", "--directory", target],
    ],
    onPosition: (bytes) => positions.push(bytes),
  });
  return { done, positions };
}

test("data flows from the file through all commands", async () => {
  const target = join(folder, "out");
  await extract(join(folder, "good.tar.xz"), target).done;
  expect(readdirSync(target)).toEqual(["random"]);
  expect(statSync(join(target, "random")).size).toBe(3_000_000);
});

test("a truncated archive fails by name of the command that noticed", async () => {
  const broken = join(folder, "broken.tar.xz");
  execFileSync("cp", [join(folder, "good.tar.xz"), broken]);
  truncateSync(broken, 1_000_000);
  await expect(extract(broken, join(folder, "out2")).done).rejects.toThrow(
    /xz: exit code 1 .*Unexpected end of input/,
  );
});

test("a failure of the last command is seen though the first one only lost its reader", async () => {
  const failing = runPipeline({
    report: silent,
    input: { file: join(folder, "content/random") },
    commands: [["cat"], ["sh", "-c", "exec <&-; echo no room >&2; exit 7"]],
  });
  await expect(failing).rejects.toThrow(/sh: exit code 7 \(no room\)/);
});

test("a command that does not exist is an error, not a hang", async () => {
  const failing = runPipeline({
    report: silent,
    input: { file: join(folder, "good.tar.xz") },
    commands: [["xz", "-dc"], ["no-such-tar"]],
  });
  await expect(failing).rejects.toThrow(/no-such-tar: .*ENOENT/);
});

test("the position tells how far the first command has read", async () => {
  const seen = join(folder, "seen");
  // The first command reads on once its position in the middle was told, or ends when that takes a minute.
  const waiting = `head -c 1000000 >/dev/null
for turn in $(seq 600); do [ -e "$1" ] && exec cat; sleep 0.1; done
exit 9`;
  await runPipeline({
    report: silent,
    input: { file: join(folder, "content/random") },
    commands: [
      ["sh", "-c", waiting, "sh", seen],
      ["sh", "-c", "cat >/dev/null"],
    ],
    onPosition: (bytes) => {
      if (bytes >= 1_000_000 && bytes < 3_000_000) writeFileSync(seen, "");
    },
  });
});

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  const buffers = [Buffer.alloc(100_000), Buffer.alloc(100_000)];
  for (let offset = 0, turn = 0; offset < bytes.length; offset += 100_000, turn = 1 - turn) {
    const chunk = bytes.subarray(offset, offset + 100_000);
    chunk.copy(buffers[turn]!);
    yield buffers[turn]!.subarray(0, chunk.length);
  }
}

test("chunks whose buffers are used again arrive whole and in order", async () => {
  const target = join(folder, "out3");
  mkdirSync(target);
  const positions: number[] = [];
  await runPipeline({
    report: silent,
    input: { name: "archive", chunks: chunksOf(readFileSync(join(folder, "good.tar.xz"))) },
    commands: [
      ["xz", "--decompress", "--stdout"],
      ["tar", "--extract", "--directory", target],
    ],
    onPosition: (bytes) => positions.push(bytes),
  });
  const random = readFileSync(join(folder, "content/random"));
  expect(readFileSync(join(target, "random")).equals(random)).toBe(true);
});

test("chunks that cannot be read, and a reader that goes away, are errors, not hangs", async () => {
  const commands = [["cat"], ["sh", "-c", "cat >/dev/null"]] as const;
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(1000);
    throw new Error("sector 5 is gone");
  }
  const reading = runPipeline({ report: silent, input: { name: "archive", chunks: broken() }, commands });
  await expect(reading).rejects.toThrow(/archive: sector 5 is gone/);
  const long = chunksOf(Buffer.alloc(5_000_000));
  const leaving = runPipeline({
    report: silent,
    input: { name: "archive", chunks: long },
    commands: [["sh", "-c", "exec <&-; exit 7"]],
  });
  await expect(leaving).rejects.toThrow(/sh: exit code 7/);
});
