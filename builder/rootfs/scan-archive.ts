import { UserError, type Problem } from "../../format/errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { shownPath } from "./raw-path.ts";
import { readTarHeaders } from "./tar-headers.ts";

const shownProblems = 20;

/** Reads an archive's headers and refuses it, naming the entries, when extracting could touch anything outside its folder. */
export async function scanArchive(source: AsyncIterable<Uint8Array>): Promise<{ acls: boolean }> {
  const reader = new ByteReader(source);
  const links = new Set<string>();
  const problems: Problem[] = [];
  let acls = false;
  try {
    for await (const header of readTarHeaders(reader)) {
      if (problems.length >= shownProblems) break;
      acls ||= header.acls;
      const path = normalised(header.path);
      const problem =
        problemWith(header.path, path, links) ??
        (header.type === "hardlink"
          ? problemWith(header.linkTarget, normalised(header.linkTarget), links)
          : undefined);
      if (problem) problems.push(problem);
      if (header.type === "symlink") links.add(path);
      else links.delete(path);
    }
    // The decompressor must reach its end, so that its own checksum is checked and it does not die of a closed pipe.
    while (problems.length === 0 && (await reader.skip(1024 * 1024)));
  } finally {
    await reader.close();
  }
  if (problems.length > 0) throw new UserError(problems);
  return { acls };
}

function problemWith(path: string, clean: string, links: ReadonlySet<string>): Problem | undefined {
  const shown = JSON.stringify(shownPath(path));
  const hint = "Make the archive from inside the root filesystem: `tar -C ROOT -cf rootfs.tar .`";
  if (path.startsWith("/"))
    return { code: "rootfs-absolute-path", message: `the archive entry ${shown} has an absolute path`, hint };
  if (path.split("/").includes(".."))
    return { code: "rootfs-parent-path", message: `the archive entry ${shown} has ".." in its path`, hint };
  for (let at = clean.indexOf("/"); at !== -1; at = clean.indexOf("/", at + 1)) {
    const parent = clean.slice(0, at);
    if (links.has(parent)) {
      return {
        code: "rootfs-path-through-link",
        message: `the archive entry ${shown} lies behind the symbolic link "${shownPath(parent)}" of the same archive`,
        hint,
      };
    }
  }
  return undefined;
}

/** `./a//b/` -> `a/b` */
function normalised(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
