import type { Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { readBounded } from "../system/files.ts";

/** Linux's own limit on links in one path. */
const maxLinks = 40;
const maxMatches = 100_000;

/**
 * A system's root folder, read and walked as if it were `/`: a symbolic link never leads out of it,
 * whether it is absolute, full of `..`, or goes round in circles.
 */
export class RootFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Path of the running system for a resolved inside path. */
  outside(insidePath: string): string {
    return join(this.root, insidePath);
  }

  /**
   * The inside path with every link on the way followed (the last component too, unless `keepLast`), whether or not it exists.
   * Undefined for too many links. `links` collects the inside paths of the links met.
   */
  async resolve(
    insidePath: string,
    options: { keepLast?: boolean; links?: string[] } = {},
  ): Promise<string | undefined> {
    const pending = components(insidePath);
    const resolved: string[] = [];
    let followed = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === "..") {
        resolved.pop();
        continue;
      }
      const here = `/${[...resolved, part].join("/")}`;
      const isLast = pending.length === 0;
      const target = isLast && options.keepLast === true ? undefined : await this.linkTarget(here);
      if (target === undefined) {
        resolved.push(part);
        continue;
      }
      followed++;
      if (followed > maxLinks) return undefined;
      options.links?.push(here);
      if (target.startsWith("/")) resolved.length = 0;
      pending.unshift(...components(target));
    }
    return `/${resolved.join("/")}`;
  }

  /** Text of a small file by inside path, links followed inside; undefined when it is missing, no file, or too large. */
  async readText(insidePath: string, encoding: "utf8" | "latin1" = "utf8"): Promise<string | undefined> {
    return (await this.readBytes(insidePath))?.toString(encoding);
  }

  async readBytes(insidePath: string, limit = 4 * 1024 * 1024): Promise<Buffer | undefined> {
    const resolved = await this.resolve(insidePath);
    if (resolved === undefined) return undefined;
    const facts = await lstatIfExists(this.outside(resolved));
    if (facts === undefined || !facts.isFile() || facts.size > limit) return undefined;
    return readBounded(this.outside(resolved), limit);
  }

  async linkTarget(resolvedParentPath: string): Promise<string | undefined> {
    try {
      return await readlink(this.outside(resolvedParentPath));
    } catch {
      return undefined;
    }
  }

  /** Facts of what an inside path leads to. */
  async stat(insidePath: string): Promise<Stats | undefined> {
    const resolved = await this.resolve(insidePath);
    return resolved === undefined ? undefined : lstatIfExists(this.outside(resolved));
  }

  async lstat(insidePath: string): Promise<Stats | undefined> {
    const resolved = await this.resolve(insidePath, { keepLast: true });
    return resolved === undefined ? undefined : lstatIfExists(this.outside(resolved));
  }

  /** Names in a folder, sorted; empty when it is none. */
  async list(insidePath: string): Promise<string[]> {
    const resolved = await this.resolve(insidePath);
    if (resolved === undefined) return [];
    try {
      return (await readdir(this.outside(resolved))).sort();
    } catch {
      return [];
    }
  }

  /** Inside paths that exist (a dangling link does) and match a pattern with `*` and `?` within components. */
  async glob(pattern: string): Promise<string[]> {
    let paths = [""];
    for (const part of components(pattern)) {
      const next: string[] = [];
      for (const path of paths) {
        if (!/[*?]/.test(part)) {
          next.push(`${path}/${part}`);
          continue;
        }
        const expression = new RegExp(
          `^${part
            .replace(/[.+^${}()|[\]\\]/g, "\\$&")
            .replaceAll(/\*+/g, ".*")
            .replaceAll("?", ".")}$`,
          "s",
        );
        for (const name of await this.list(path === "" ? "/" : path)) {
          // As in a shell, hidden names are asked for by name.
          if (expression.test(name) && (part.startsWith(".") || !name.startsWith(".")))
            next.push(`${path}/${name}`);
        }
        if (next.length > maxMatches) break;
      }
      paths = next;
    }
    const found: string[] = [];
    for (const path of paths) if ((await this.lstat(path)) !== undefined) found.push(path);
    return found;
  }
}

function components(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

export async function lstatIfExists(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch {
    return undefined;
  }
}
