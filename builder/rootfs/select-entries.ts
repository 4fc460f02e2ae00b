import { hygienePatterns } from "./hygiene.ts";
import { compilePattern } from "./path-pattern.ts";
import type { RawPath } from "./raw-path.ts";
import type { Entry } from "./walk.ts";

export interface Selection {
  kept: Entry[];
  /** What was left out, by pattern, largest first. */
  left: LeftOut[];
}

export interface LeftOut {
  pattern: string;
  why: string;
  entries: number;
  bytes: number;
}

const sockets = "sockets";

/** Decides what goes into the package: the default list, then what the release excludes, except what it keeps. Pure. */
export function selectEntries(
  entries: readonly Entry[],
  changes: { exclude: readonly string[]; keep: readonly string[]; swapFiles?: readonly string[] },
): Selection {
  const patterns = [
    ...hygienePatterns,
    ...(changes.swapFiles ?? []).map((pattern) => ({ pattern, why: "swap" })),
    ...changes.exclude.map((pattern) => ({ pattern, why: "the release says so" })),
    { pattern: sockets, why: "mean nothing without who made them" },
  ];
  const reasons = new Map(patterns.toReversed().map(({ pattern, why }) => [pattern, why]));
  const rules = patterns.map(({ pattern }) => ({
    pattern,
    matches: compilePattern(pattern),
    filesOnly: pattern.endsWith("/**"),
  }));
  const keeps = changes.keep.map(compilePattern);
  const left = new Map<string, LeftOut>();
  const leftFolders = new Map<RawPath, string>();
  const needed = new Set<RawPath>();
  const verdicts: { entry: Entry; pattern: string | undefined }[] = [];

  for (const entry of entries) {
    let pattern: string | undefined = parents(entry.path)
      .map((parent) => leftFolders.get(parent))
      .find((found) => found !== undefined);
    pattern ??= rules.find(
      (rule) => !(rule.filesOnly && entry.type === "folder") && rule.matches(entry.path),
    )?.pattern;
    if (pattern !== undefined && entry.type === "folder") leftFolders.set(entry.path, pattern);
    if (entry.type === "socket") pattern ??= sockets;
    if (
      pattern !== undefined &&
      keeps.some((matches) => matches(entry.path) || parents(entry.path).some(matches))
    ) {
      pattern = undefined;
      for (const parent of parents(entry.path)) needed.add(parent);
    }
    verdicts.push({ entry, pattern });
  }

  const kept: Entry[] = [];
  for (const { entry, pattern } of verdicts) {
    if (pattern === undefined || needed.has(entry.path)) {
      kept.push(entry);
      continue;
    }
    const sum = left.get(pattern) ?? { pattern, why: reasons.get(pattern)!, entries: 0, bytes: 0 };
    sum.entries += 1;
    if (entry.type === "file") sum.bytes += entry.allocatedBytes;
    left.set(pattern, sum);
  }
  return {
    kept,
    left: [...left.values()].sort((a, b) => b.bytes - a.bytes || (a.pattern < b.pattern ? -1 : 1)),
  };
}

/** `a/b/c` -> `a`, `a/b` */
function parents(path: RawPath): RawPath[] {
  const found: RawPath[] = [];
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) found.push(path.slice(0, at));
  return found;
}
