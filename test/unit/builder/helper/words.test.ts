import { execFileSync } from "node:child_process";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readToMark } from "../../../../builder/helper/marked-output.ts";
import { parseDiskWord } from "../../../../builder/helper/parse-disk-word.ts";
import { octalEscapes, requestLine } from "../../../../builder/helper/request.ts";
import { reseedProgram } from "../../../../builder/helper/reseed-program.ts";
import { readElf } from "../../../../builder/ramdisk/elf.ts";

/** What the helper's own shell makes of requests: how many words each has, and the words, each ended by a zero byte. */
function wordsInShell(lines: readonly string[]): string[] {
  const script = `newline='\n'; while read -r verb words; do eval "set -- $words"; printf '%s\\0' "$verb" $# "$@"; done`;
  const output = execFileSync("busybox", ["sh", "-c", script], { input: lines.join("") });
  return output.toString().split("\0").slice(0, -1);
}

test("every word arrives as it was, on one line", () => {
  const words = fc.array(fc.string({ unit: "binary" }).filter((word) => !word.includes("\0")));
  const awkward = ["a'b", "line\nfeed", "$(reboot)", "`", "\\n", "", " ", "é", '"$newline"'];
  const requests = [awkward, ...fc.sample(words, 200)];
  const lines = requests.map((words) => requestLine("run", words));
  for (const line of lines) expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(wordsInShell(lines)).toEqual(requests.flatMap((words) => ["run", String(words.length), ...words]));
});

test("a zero byte in a word is refused", () => {
  expect(() => requestLine("run", ["a\0b"])).toThrow("zero byte");
});

test("bytes survive printf", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  expect(execFileSync("busybox", ["sh", "-c", `printf '${octalEscapes(bytes)}'`])).toEqual(
    Buffer.from(bytes),
  );
});

test("the reseeding program is a static program of x86-64", () => {
  const program = reseedProgram();
  const facts = readElf((offset, length) => program.subarray(offset, offset + length));
  expect(facts).toEqual({ needed: [], runPaths: [], opened: [] });
  expect(program).toHaveLength(240);
});

test.each([
  ["disk.img", { file: "disk.img", readOnly: false }],
  ["disk.img:ro", { file: "disk.img", readOnly: true }],
  ["C:disk:rw", { file: "C:disk", readOnly: false }],
  ["odd:ro:rw", { file: "odd:ro", readOnly: false }],
  [":ro", { file: ":ro", readOnly: false }],
])("%s names a disk", (word, disk) => expect(parseDiskWord(word)).toEqual(disk));

/** Cuts `bytes` into pieces of these lengths, the rest in one. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...pieces, bytes.subarray(at)].filter((piece) => piece.length > 0);
}

test("output ends at its mark, wherever the pieces are cut, and a slow sink gets all of it in order", async () => {
  const mark = Buffer.from("0123456789abcdef");
  const output = fc.uint8Array({ maxLength: 200 });
  const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(output, { minLength: 1, maxLength: 3 }),
      lengths,
      fc.boolean(),
      async (outputs, lengths, slow) => {
        const stream = new PassThrough();
        for (const bytes of outputs) {
          const got: Buffer[] = [];
          const done = readToMark(stream, mark, async (piece) => {
            if (slow) await new Promise((resolve) => void setImmediate(resolve));
            got.push(Buffer.from(piece));
          });
          // The beginning of the mark in the output is no mark.
          const sent = Buffer.concat([bytes, mark.subarray(0, 9), mark]);
          for (const piece of cut(sent, lengths)) stream.write(piece);
          await done;
          expect(Buffer.concat(got)).toEqual(sent.subarray(0, -mark.length));
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("a sink that fails lets the rest go by, and then its failure is told", async () => {
  const stream = new PassThrough();
  const done = readToMark(stream, Buffer.from("MARK"), () => {
    throw new Error("disk full");
  });
  stream.write("one");
  stream.write("twoMARK");
  await expect(done).rejects.toThrow("disk full");
});

test("a stream that closes before its mark is a failure", async () => {
  const stream = new PassThrough();
  const done = readToMark(stream, Buffer.from("MARK"), () => {});
  stream.write("half");
  stream.destroy();
  await expect(done).rejects.toThrow("in the middle");
});
