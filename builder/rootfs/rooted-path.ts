import { lstatSync, readlinkSync, statSync } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode, userError } from "../../format/errors.ts";

const mostLinks = 40;

/**
 * Where a path of the root filesystem really lies, links followed as if `root` were `/`: an absolute link of the target
 * never leads to the build host. The last name need not exist. Text paths; `/etc/os-release` -> `ROOT/usr/lib/os-release`.
 */
export async function rootedPath(root: string, path: string): Promise<string> {
  const way = followed(root, path);
  let step = way.next();
  while (!step.done) step = way.next(await linkTarget(step.value));
  return step.value;
}

/** The same at once. */
export function rootedPathSync(root: string, path: string): string {
  const way = followed(root, path);
  let step = way.next();
  while (!step.done) step = way.next(linkTargetSync(step.value));
  return step.value;
}

/** A path on this host that lies below `root`, its links followed there; without a root as it is. */
export function inRoot(root: string | undefined, path: string): string {
  return root === undefined ? path : rootedPathSync(root, path.slice(root.length));
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Asks of each path on the way what link it is, and gives the place at last. */
function* followed(root: string, path: string): Generator<string, string, string | undefined> {
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
    const target = yield join(root, ...done, name);
    if (target === undefined) {
      done.push(name);
      continue;
    }
    // Given back as it is, the link would be followed by whoever opens it: on the build host.
    if (++links > mostLinks)
      throw userError({
        code: "rootfs-links-endless",
        message: `${path} in the root filesystem leads through more than ${mostLinks} links; one of them is /${[...done, name].join("/")}`,
        hint: "Mend the links there; as a rule one leads back to itself.",
      });
    if (target.startsWith("/")) done.length = 0;
    waiting = [...target.split("/").filter(Boolean), ...rest];
  }
  return join(root, ...done);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    return noLink(error);
  }
}

function linkTargetSync(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    return noLink(error);
  }
}

/** What is not there is no link. */
function noLink(error: unknown): undefined {
  if (!hasErrorCode(error, "ENOENT", "ENOTDIR")) throw error;
}
