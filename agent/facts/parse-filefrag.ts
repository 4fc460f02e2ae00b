import type { Piece } from "../plan/map-to-disk.ts";

/** What `filefrag -v -b512` counts in. */
const unitBytes = 512;
const mostLines = 200_000;
/** Flags that leave the bytes where the extent says (FIEMAP, linux/fiemap.h); any other means that they are not there. */
const harmless = new Set(["last", "unwritten", "merged", "eof"]);

const extentLine = /^\s*\d+:\s*(\d+)\.\.\s*(\d+):\s*(\d+)\.\.\s*(\d+):\s*(\d+):(?:\s*\d+:)?\s*([a-z0-9_,]*)$/;

/**
 * Extents of a file in its filesystem's device, out of `filefrag -v -s -b512 FILE` of e2fsprogs. Throws on anything else:
 * a wrong place is worse than none.
 */
export function parseFilefrag(text: string): Piece[] {
  const lines = text.split("\n");
  if (lines.length > mostLines) throw new Error(`filefrag gave ${lines.length} lines`);
  const pieces: Piece[] = [];
  for (const line of lines) {
    if (!/^\s*\d+:/.test(line)) continue;
    const match = extentLine.exec(line);
    if (!match) throw new Error(`filefrag's line "${line.trim()}" is not understood`);
    pieces.push(readExtent(match.slice(1, 6).map(Number), match[6] ?? "", line));
  }
  const inOrder = pieces.every(
    ({ offsetBytes }, index) =>
      index === 0 || offsetBytes >= pieces[index - 1]!.offsetBytes + pieces[index - 1]!.sizeBytes,
  );
  if (!inOrder) throw new Error("filefrag's extents overlap");
  return pieces;
}

function readExtent(numbers: number[], flags: string, line: string): Piece {
  const [first = NaN, last = NaN, start = NaN, end = NaN, length = NaN] = numbers;
  const bad = flags.split(",").filter((flag) => flag !== "" && !harmless.has(flag));
  if (bad.length > 0) throw new Error(`an extent is ${bad.join(", ")}`);
  const whole = numbers.every((number) => Number.isSafeInteger(number * unitBytes));
  if (!whole || length < 1 || last - first + 1 !== length || end - start + 1 !== length)
    throw new Error(`filefrag's line "${line.trim()}" contradicts itself`);
  return { offsetBytes: first * unitBytes, startBytes: start * unitBytes, sizeBytes: length * unitBytes };
}
