import { execa } from "execa";
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

/** A file's bytes from an offset on, decompressed by the real tool. May be left early: the tool is then stopped. */
export async function* decompressed(path: string, compression: Compression, offset = 0): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { start: offset, highWaterMark: 1024 * 1024 });
  if (compression === "none") {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  const [command, ...args] = programs[compression];
  const child = execa(command, args, { stdin: file, buffer: { stdout: false, stderr: true }, reject: false, env: { LC_ALL: "C" } });
  let finished = false;
  try {
    yield* child.stdout as Readable as AsyncIterable<Buffer>;
    finished = true;
  } finally {
    if (!finished) child.kill();
    file.destroy();
    const result = await child;
    if (finished && result.exitCode !== 0) {
      // eslint-disable-next-line no-unsafe-finally -- a failed decompressor is never an ordinary end of the bytes.
      throw new StepError(result.code === "ENOENT" ? `${command} is not installed` : `${command} cannot decompress ${path}`, {
        command: [command, ...args].join(" "),
        stderrTail: String(result.stderr ?? "").slice(-2000),
        hint: "The file is damaged, cut off, or not what its first bytes say.",
      });
    }
  }
}
