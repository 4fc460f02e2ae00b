import type { RawPath } from "../../rootfs/raw-path.ts";

export type TarType =
  | "file"
  | "hardlink"
  | "symlink"
  | "folder"
  | "character-device"
  | "block-device"
  | "fifo";

/** A run of bytes that a sparse file really has. */
export interface SparseRun {
  offset: number;
  bytes: number;
}

/** All that a tar says of one entry. Text is bytes as latin1. */
export interface TarHeader {
  /** As archived. */
  path: RawPath;
  linkTarget: RawPath;
  type: TarType;
  /** Permissions with set-user-id, set-group-id and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Seconds, whole, not before 1970. */
  modifiedAt: number;
  major: number;
  minor: number;
  /** Values of any bytes, by name, in the archive's order. */
  xattrs: ReadonlyMap<string, string>;
  /** ACLs in tar's own words, which name users. */
  acls: { readonly access?: string; readonly default?: string };
  /** Of the file once extracted. */
  sizeBytes: number;
  /** Of its content in the archive: less for a sparse file. */
  storedBytes: number;
  /** Only for sparse files: what the stored content is made of. */
  runs?: readonly SparseRun[];
}

export interface TarEntry {
  header: TarHeader;
  /** The stored content; what is not read of it is skipped. */
  content: AsyncIterable<Buffer>;
}
