import type { Run } from "../system/run.ts";

/** What `blkid -p` found on a device: filesystem or member type, and the partition table. */
export interface Signatures {
  type?: string;
  uuid?: string;
  tableType?: string;
  tableId?: string;
}

/** Low-level probing: reads the device itself, no cache. Exit 2: nothing there; 8: ambivalent, which is nothing we could trust. */
export async function probeSignatures(run: Run, device: string): Promise<Signatures> {
  const { stdout, exitCode } = await run("blkid", ["-p", "-o", "export", device], {
    acceptExitCodes: [2, 4, 8],
  });
  return exitCode === 0 ? parseSignatures(stdout) : {};
}

export function parseSignatures(text: string): Signatures {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).replace(/\\(.)/g, "$1"));
  }
  const found: Signatures = {};
  for (const [key, name] of [
    ["type", "TYPE"],
    ["uuid", "UUID"],
    ["tableType", "PTTYPE"],
    ["tableId", "PTUUID"],
  ] as const) {
    const value = values.get(name);
    if (value) found[key] = value;
  }
  return found;
}
