import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "../../format/errors.ts";

const mostLinks = 40;

/**
 * Where a path of the root filesystem really lies, links followed as if `root` were `/`: an absolute link of the target
 * never leads to the build host. The last name need not exist. Text paths; `/etc/os-release` -> `ROOT/usr/lib/os-release`.
 */
export async function rootedPath(root: string, path: string): Promise<string> {
  let waiting = path.split("/").filter(Boolean);
  const done: string[] = [];
  for (let links = 0; waiting.length > 0;) {
    const [name, ...rest] = waiting as [string, ...string[]];
    waiting = rest;
    if (name === ".") continue;
    if (name === "..") {
      done.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...done, name));
    if (target === undefined) {
      done.push(name);
      continue;
    }
    if (++links > mostLinks) return join(root, ...done, name);
    if (target.startsWith("/")) done.length = 0;
    waiting = [...target.split("/").filter(Boolean), ...rest];
  }
  return join(root, ...done);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}
