import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { MiB } from "../../format/sizes.ts";

const longestLine = MiB;
const together = 64 * 1024;

/** Values as lines of JSON, compressed: a list of hundreds of thousands is never one text in memory. */
export async function writeLines(path: string, values: Iterable<unknown>): Promise<void> {
  await pipeline(
    Readable.from(texts(values), { objectMode: false }),
    createGzip({ level: 1 }),
    createWriteStream(path),
  );
}

function* texts(values: Iterable<unknown>): Generator<string> {
  let text = "";
  for (const value of values) {
    text += `${JSON.stringify(value)}\n`;
    if (text.length < together) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

/** What `writeLines` wrote, one value after another, of any kind. */
export async function* readLines(path: string): AsyncGenerator {
  let waiting = "";
  const file = createReadStream(path);
  const unpacked = file.pipe(createGunzip());
  file.on("error", (error) => unpacked.destroy(error));
  for await (const text of unpacked.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (waiting + text).split("\n");
    waiting = lines.pop()!;
    if (waiting.length > longestLine) throw new Error(`a line of ${path} is too long`);
    for (const line of lines) yield JSON.parse(line);
  }
  if (waiting !== "") throw new Error(`${path} ends within a line`);
}
