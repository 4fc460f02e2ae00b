import type { Problem } from "../../format/errors.ts";
import type { NetworkInterface } from "../../format/identity.ts";

/** Texts of configuration files by absolute path inside the system they belong to. A masked unit file is empty. */
export type ConfigFiles = ReadonlyMap<string, string>;

/** What one kind of network configuration says. */
export interface NetworkReading {
  interfaces: NetworkInterface[];
  dns: { servers: string[]; searchDomains: string[] };
  hostname?: string;
  problems: Problem[];
}

/** A file to be written into the new system; `path` is absolute inside it. */
export interface TargetFile {
  path: string;
  mode: number;
  content: string;
}

/** First line of every file we write, and how we recognise our own. */
export const writtenByMarker = "# Written by dualroot";

export function writtenBy(path: string, files: ConfigFiles): boolean {
  return (files.get(path) ?? "").startsWith(writtenByMarker);
}
