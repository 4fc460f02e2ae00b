import type { Problem } from "../../format/errors.ts";
import { shownPath, type RawPath } from "../rootfs/raw-path.ts";

const longestName = 255;

/** Why a path in an archive is not taken: it leads out of the tree. */
export function pathProblem(path: RawPath): Problem | undefined {
  const shown = JSON.stringify(shownPath(path));
  const hint = "Make the archive from inside the root filesystem: `tar -C ROOT -cf rootfs.tar .`";
  if (path.startsWith("/"))
    return { code: "rootfs-absolute-path", message: `the archive entry ${shown} has an absolute path`, hint };
  if (path.split("/").includes(".."))
    return { code: "rootfs-parent-path", message: `the archive entry ${shown} has ".." in its path`, hint };
  if (path.includes("\0") || path.split("/").some((name) => name.length > longestName))
    return {
      code: "rootfs-path-wrong",
      message: `the archive entry ${shown.slice(0, 300)} has a name that no file system takes`,
      hint,
    };
  return undefined;
}

/** `./a//b/` -> `a/b` */
export function normalisedPath(path: RawPath): RawPath {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
