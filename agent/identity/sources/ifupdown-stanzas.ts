import type { Problem } from "../../../format/errors.ts";
import type { ConfigFiles } from "../config-files.ts";

export interface IfaceStanza {
  name: string;
  family: string;
  method: string;
  /** Option words in file order; the same option may stand several times. */
  options: { key: string; value: string }[];
  where: string;
}

export interface IfupdownFile {
  stanzas: IfaceStanza[];
  /** Interfaces of `auto` and `allow-*` lines; others come up only by hand. */
  started: Set<string>;
  problems: Problem[];
}

const mainFile = "/etc/network/interfaces";
const keywords =
  /^(auto|allow-[a-z-]+|iface|mapping|source|source-directory|rename|template|no-auto-down|no-scripts)$/;

/** interfaces(5) with everything it sources, in reading order. */
export function parseIfupdownStanzas(files: ConfigFiles): IfupdownFile {
  const result: IfupdownFile = { stanzas: [], started: new Set(), problems: [] };
  readFile(mainFile, files, result, new Set());
  return result;
}

/** Patterns (`*`, `?`) and folders that the given files source, as absolute paths, for whoever reads files. */
export function ifupdownSourcePatterns(files: ConfigFiles): string[] {
  const patterns = new Set<string>();
  for (const [path, text] of files) {
    if (!path.startsWith("/etc/network/")) continue;
    for (const line of logicalLines(text)) {
      const [keyword, value] = line.words;
      if (keyword === "source" && value !== undefined) patterns.add(absolute(value));
      if (keyword === "source-directory" && value !== undefined)
        patterns.add(`${absolute(value).replace(/\/+$/, "")}/*`);
    }
  }
  return [...patterns];
}

function readFile(path: string, files: ConfigFiles, result: IfupdownFile, seen: Set<string>): void {
  const text = files.get(path);
  // A file that sources itself, directly or not, is read once.
  if (text === undefined || seen.has(path)) return;
  seen.add(path);
  let stanza: IfaceStanza | undefined;
  for (const { words, line, number } of logicalLines(text)) {
    const [keyword = "", ...rest] = words;
    const where = `${path}:${number}`;
    if (!keywords.test(keyword)) {
      if (stanza !== undefined)
        stanza.options.push({ key: keyword, value: line.slice(keyword.length).trim() });
      continue;
    }
    stanza = undefined;
    if (keyword === "iface") {
      const [name = "", family = "", method = ""] = rest;
      // `iface eth0 inherits other` and templates are rare enough to be said aloud.
      if (rest.includes("inherits")) result.problems.push(notRead(`"${line}"`, where));
      else if (family === "" || method === "") result.problems.push(notRead(`"${line}"`, where));
      else result.stanzas.push((stanza = { name, family, method, options: [], where }));
    } else if (keyword === "auto" || keyword.startsWith("allow-")) {
      for (const name of rest) result.started.add(name);
    } else if (keyword === "source" || keyword === "source-directory") {
      for (const sourced of sourcedPaths(keyword, rest[0] ?? "", files))
        readFile(sourced, files, result, seen);
    } else {
      result.problems.push(notRead(`"${line}"`, where));
      if (keyword === "mapping") stanza = { name: "", family: "", method: "", options: [], where };
    }
  }
}

/** Continuation lines joined, comments and blank lines dropped. A comment is a line that starts with `#`. */
function logicalLines(text: string): { words: string[]; line: string; number: number }[] {
  const lines: { words: string[]; line: string; number: number }[] = [];
  const physical = text.split(/\r?\n/);
  for (let index = 0; index < physical.length; index++) {
    const number = index + 1;
    let line = physical[index] ?? "";
    if (line.trimStart().startsWith("#")) continue;
    while (line.endsWith("\\") && index + 1 < physical.length) {
      index++;
      line = line.slice(0, -1) + (physical[index] ?? "");
    }
    line = line.trim();
    if (line !== "") lines.push({ words: line.split(/\s+/), line, number });
  }
  return lines;
}

function sourcedPaths(keyword: string, value: string, files: ConfigFiles): string[] {
  if (value === "") return [];
  const target = absolute(value).replace(/\/+$/, "");
  if (keyword === "source-directory") {
    // Only names of this form, see interfaces(5).
    return [...files.keys()]
      .filter(
        (path) => path.startsWith(`${target}/`) && /^[A-Za-z0-9_-]+$/.test(path.slice(target.length + 1)),
      )
      .sort();
  }
  return [...files.keys()].filter((path) => matchesGlob(target, path)).sort();
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/etc/network/${path}`;
}

/** `*` and `?` within one path component. */
export function matchesGlob(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/\*+/g, "[^/]*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${source}$`).test(path);
}

function notRead(what: string, where: string): Problem {
  return {
    code: "network-setting-not-carried",
    message: `${what} is not understood and not carried to the new system`,
    hint: "Write the interface as a plain iface stanza, or configure it in the release.",
    where,
  };
}
