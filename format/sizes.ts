export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

const unitBytes: Record<string, number> = {
  B: 1,
  KIB: KiB,
  MIB: MiB,
  GIB: GiB,
  TIB: TiB,
  K: KiB,
  M: MiB,
  G: GiB,
  T: TiB,
};

/** Reads `512 MiB`, `1.5 GiB`, `2G` or a plain number of bytes; undefined when it is none of these. */
export function parseSize(text: string | number): number | undefined {
  if (typeof text === "number") return Number.isSafeInteger(text) && text >= 0 ? text : undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  if (!match) return undefined;
  const unit = match[2] === "" ? 1 : unitBytes[match[2]!.toUpperCase()];
  if (unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `1610612736` -> `1.5 GiB`. For people; never parsed back. */
export function formatSize(bytes: number): string {
  for (const [name, unit] of [
    ["TiB", TiB],
    ["GiB", GiB],
    ["MiB", MiB],
    ["KiB", KiB],
  ] as const) {
    if (bytes >= unit) {
      const value = bytes / unit;
      return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${name}`;
    }
  }
  return `${bytes} B`;
}

/** Two sizes that one sentence sets against each other: in bytes where the short forms would look the same. */
export function formatSizePair(a: number, b: number): [string, string] {
  const short: [string, string] = [formatSize(a), formatSize(b)];
  return parseSize(short[0]) === parseSize(short[1]) && a !== b ? [`${a} bytes`, `${b} bytes`] : short;
}
