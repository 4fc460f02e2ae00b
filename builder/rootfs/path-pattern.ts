import { rawPath, type RawPath } from "./raw-path.ts";

/** `*` matches within one name, `**` any number of names, `?` one byte; everything else stands for itself. */
export function compilePattern(pattern: string): (path: RawPath) => boolean {
  const source = rawPath(pattern.replace(/^\/+/, "").replace(/\/+$/, ""))
    .split("/")
    .map((part) =>
      part === "**"
        ? "\0"
        : part
            .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
            .replaceAll(/\*+/g, "[^/]*")
            .replaceAll("?", "[^/]"),
    )
    .join("/")
    .replaceAll("\0/", "(?:[^/]+/)*")
    .replaceAll("\0", "[^]+");
  const regex = new RegExp(`^${source}$`);
  return (path) => regex.test(path);
}
