import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { StepError } from "../../format/errors.ts";
import type { Compression } from "../rootfs/archive-format.ts";

const programs: Record<Exclude<Compression, "none">, [string, ...string[]]> = {
  gzip: ["gzip", "-dc"],
  xz: ["xz", "-dc", "-T0"],
  zstd: ["zstd", "-dcq"],
  lz4: ["lz4", "-dcq"],
  lzma: ["xz", "-dc", "--format=lzma"],
  bzip2: ["bzip2", "-dc"],
};

/** A file's bytes from an offset on (to an end, exclusive), decompressed by the real tool. May be left early: the tool is then stopped. */
export async function* decompressed(
  path: string,
  compression: Compression,
  offset = 0,
  end = Infinity,
): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { start: offset, end: end - 1, highWaterMark: 256 * 1024 });
  yield* decompressedStream(file, compression, path);
}

/** The same for bytes from anywhere; `name` is for messages. */
export async function* decompressedStream(
  source: Readable,
  compression: Compression,
  name: string,
): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* source as AsyncIterable<Buffer>;
    return;
  }
  const [command, ...args] = programs[compression];
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  // Looked at below; until then a failure to start must not count as unhandled.
  ended.catch(() => {});
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-2000)));
  // A tool that gives up early closes its input; its exit code says why.
  child.stdin.on("error", () => {});
  let sourceError: Error | undefined;
  source.on("error", (error) => {
    sourceError = error;
    child.stdin.destroy();
  });
  source.pipe(child.stdin);
  let read = false;
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    read = true;
  } finally {
    if (!read) child.kill();
    source.destroy();
  }
  if (sourceError) throw sourceError;
  const details = {
    command: [command, ...args].join(" "),
    hint: "The file is damaged, cut off, or not what its first bytes say.",
  };
  const [exitCode] = await ended.catch((cause: unknown) => {
    throw new StepError(`${command} cannot be started; is it installed?`, { ...details, cause });
  });
  if (exitCode !== 0)
    throw new StepError(`${command} cannot decompress ${name}`, { ...details, stderrTail: stderr });
}
