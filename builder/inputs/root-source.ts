import type { Reporter } from "../../format/events.ts";
import type { RawPath } from "../rootfs/raw-path.ts";
import type { Entry } from "../rootfs/walk.ts";

/** A root filesystem that can be listed, looked into and packed, wherever it comes from. */
export interface RootSource {
  /** What it is, for people: "folder", "tar", "OCI image NAME, 3 layers". */
  description: string;
  /**
   * A folder on this host where names, links and folders are as in the root filesystem. Files may be empty stand-ins until
   * they are fetched.
   */
  root: string;
  /** Sorted by path. */
  entries: Entry[];
  /** Makes the content of these files readable below `root`. */
  fetch: (wanted: (path: RawPath) => boolean) => Promise<void>;
  /** SHA-256 of regular files by path. */
  digests: (files: readonly Entry[], onBytes: (done: number) => void) => Promise<Map<RawPath, string>>;
  /** A tar of these entries and the root itself, with its end. Times are at most `sourceDateEpoch`. Same entries, same bytes. */
  archive: (
    kept: readonly Entry[],
    options: { sourceDateEpoch: number; report: Reporter },
  ) => AsyncIterable<Uint8Array>;
  /**
   * Both in one reading, where a second one would cost: the digests of all archived files are there when the archive has been
   * read to its end.
   */
  archiveOnce?: (
    kept: readonly Entry[],
    options: { sourceDateEpoch: number; report: Reporter },
  ) => { chunks: AsyncIterable<Uint8Array>; digests: ReadonlyMap<RawPath, string> };
  /** How many of the entries have an SELinux label; only a sample is looked at where that is costly. */
  labels: () => Promise<{ looked: number; labelled: number }>;
  /** Ends whatever it is read from. Safe to call twice. */
  close: () => Promise<void>;
  /** Changes whenever anything in the root filesystem may have. */
  stamp: (kept: readonly Entry[]) => Promise<string>;
}
