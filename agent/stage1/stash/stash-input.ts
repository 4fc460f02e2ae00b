import type { Identity } from "../../../format/identity.ts";
import type { Manifest } from "../../../format/manifest.ts";
import type { Stash } from "../../../format/stash.ts";

/** What a stash is made of, in either mode. */
export interface StashInput {
  /** Folder to make: `/var/lib/dualroot/stash`. */
  folder: string;
  packageFolder: string;
  manifest: Manifest;
  manifestSha256: string;
  identity: Identity;
  /** Writes preserved.tar to the path it is given. */
  writePreserved: (path: string) => Promise<void>;
  /** What stash.json says besides the files written here. */
  facts: Omit<Stash, "format" | "manifestSha256" | "files" | "space">;
  /** Ctrl-C, between files. */
  signal: AbortSignal;
  onProgress: (doneBytes: number, totalBytes: number) => void;
}

/** Where the ramdisk finds stash.json. */
export interface WrittenStash {
  stashSha256: string;
  /** Disk mode: its place on the disk, in sectors of 512 bytes. */
  stashAt?: { sector: number; count: number };
}
