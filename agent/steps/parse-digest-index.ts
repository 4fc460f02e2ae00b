export interface IndexedFile {
  /** Relative to the root filesystem's top. */
  path: string;
  sha256: string;
}

/**
 * `sha256sum` lines: digest, two blanks (or blank and `*`), path. A leading backslash says that `\n`, `\r` and `\\` in the
 * path are escapes. Throws on anything else: an index that cannot be read verifies nothing.
 */
export function parseDigestIndex(text: string): IndexedFile[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      const match = /^(\\?)([0-9a-f]{64}) [ *](.+)$/s.exec(line);
      if (!match) throw new Error(`line ${index + 1} of the digest index is not "SHA-256, two blanks, path"`);
      const path =
        match[1] === ""
          ? match[3]!
          : match[3]!.replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
      return { sha256: match[2]!, path: path.replace(/^\.?\//, "") };
    });
}

const escapes: Record<string, string> = { n: "\n", r: "\r", "\\": "\\" };
