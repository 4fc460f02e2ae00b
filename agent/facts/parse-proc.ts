import type { MountFacts } from "./facts.ts";

/** /proc/meminfo in bytes. Kernels without MemAvailable (before 3.14) get the old estimate. */
export function parseMemory(text: string): { totalBytes: number; availableBytes: number } {
  const kibibytes = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^(\w+):\s+(\d+) kB$/.exec(line.trim());
    if (match) kibibytes.set(match[1]!, Number(match[2]));
  }
  const value = (name: string): number => kibibytes.get(name) ?? 0;
  const available = kibibytes.get("MemAvailable") ?? value("MemFree") + value("Cached") + value("Buffers");
  return { totalBytes: value("MemTotal") * 1024, availableBytes: available * 1024 };
}

/** /proc/self/mountinfo, see proc(5): optional fields end at a lone `-`. */
export function parseMounts(text: string): MountFacts[] {
  const mounts: MountFacts[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    if (dash < 0) continue;
    mounts.push({
      device: fields[2]!,
      target: unescapeMount(fields[4]!),
      options: fields[5]!,
      type: fields[dash + 1] ?? "",
      source: unescapeMount(fields[dash + 2] ?? ""),
      ...(fields[dash + 3] ? { superOptions: fields[dash + 3]! } : {}),
    });
  }
  return mounts;
}

/** The mount that holds a path: the longest target above it, the last of equals (it covers the others). */
export function mountHolding(mounts: readonly MountFacts[], path: string): MountFacts | undefined {
  let best: MountFacts | undefined;
  for (const mount of mounts) {
    const prefix = mount.target.endsWith("/") ? mount.target : `${mount.target}/`;
    if (path !== mount.target && !path.startsWith(prefix)) continue;
    if (!best || mount.target.length >= best.target.length) best = mount;
  }
  return best;
}

/** os-release(5): shell-like assignments, quoted or not. */
export function parseOsRelease(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^([A-Z0-9_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (match) values[match[1]!] = (match[2] ?? match[3] ?? match[4] ?? "").replace(/\\(["$`\\])/g, "$1");
  }
  return values;
}

/** Space, tab, newline and backslash stand as \040 and so on in the kernel's tables. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
