import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readToMark } from "../../../../builder/helper/marked-output.ts";

/** No end of it is its beginning, as with the secret ones. */
const mark = Buffer.from("aabb0123456789abcdef0123456789ff");

/** What the reader has passed on; it may take its time. */
const soon = (read: () => string) => expect.poll(read, { timeout: 60_000 });

test("output is passed on as it comes, not only when more follows", async () => {
  const stream = new PassThrough();
  const seen: string[] = [];
  const reading = readToMark(stream, mark, (bytes) => void seen.push(bytes.toString()));
  stream.write("running\n");
  await soon(() => seen.join("")).toBe("running\n");
  stream.write("and aab");
  // Which may be the mark's beginning.
  await soon(() => seen.join("")).toBe("running\nand ");
  stream.write("c");
  await soon(() => seen.join("")).toBe("running\nand aabc");
  stream.write(mark);
  await reading;
  expect(seen.join("")).toBe("running\nand aabc");
});

test("whatever the output and its pieces, exactly the mark is taken off", async () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom("a", "aa", "aab", "aabb0123", mark.toString("latin1").slice(0, 31)),
      fc.string({ maxLength: 40 }),
    ),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 31 }), async (words, cut) => {
      fc.pre(!words.join("").includes(mark.toString()));
      const stream = new PassThrough();
      const seen: Buffer[] = [];
      const reading = readToMark(stream, mark, (bytes) => void seen.push(Buffer.from(bytes)));
      for (const word of words) stream.write(Buffer.from(word));
      stream.write(mark.subarray(0, cut));
      stream.write(mark.subarray(cut));
      await reading;
      expect(Buffer.concat(seen).equals(Buffer.concat(words.map((word) => Buffer.from(word))))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
