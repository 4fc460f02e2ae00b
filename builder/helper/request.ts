import { userError } from "../../format/errors.ts";

/** One line of the control port: a verb, and words in the quotes of the helper's shell, which knows the variable $newline. */
export function requestLine(verb: string, words: readonly string[]): string {
  return `${[verb, ...words.map(quoted)].join(" ")}\n`;
}

function quoted(word: string): string {
  if (word.includes("\0")) {
    throw userError({
      code: "helper-word-unsafe",
      message: "A word of the command has a zero byte in it.",
      hint: "Pass such data on standard input.",
    });
  }
  const escaped = word.replaceAll("'", `'\\''`).replaceAll("\n", `'"$newline"'`);
  return `'${escaped}'`;
}

/** Bytes in printf's octal escapes, which need no quotes. */
export function octalEscapes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
