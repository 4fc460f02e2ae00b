/**
 * File names are bytes, not text: a name need not be UTF-8. Inside the builder a path is a string with one character per
 * byte (latin1), relative to the root filesystem, without a leading slash, so that it can be sorted, compared and matched.
 */
export type RawPath = string;

export function rawPath(text: string): RawPath {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** For people. Bytes that are not UTF-8 show as the replacement character. */
export function shownPath(path: RawPath): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/** For the file system calls: `root` is text, the rest are bytes. */
export function onDisk(root: string, path: RawPath): Buffer {
  return path === ""
    ? Buffer.from(root)
    : Buffer.concat([Buffer.from(root), Buffer.from("/"), Buffer.from(path, "latin1")]);
}
