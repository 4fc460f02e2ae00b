import { chmod, lchown, mkdir, open, rename, rm, rmdir, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import { RootFolder } from "../root-folder.ts";

const setAsideFolder = "/var/lib/dualroot/set-aside";

/**
 * Writes into a mounted root; every path is inside it, whatever links the root has.
 * Nothing is synced here: until the boot sector is written a power cut starts stage 2 anew, and verify-target syncs all of it.
 */
export class TargetWriter extends RootFolder {
  readonly notes: string[] = [];
  /** Inside paths written, so that a read-back knows what may differ from the package. */
  readonly changed = new Set<string>();

  /**
   * A file that is there is overwritten in place and keeps owner, mode, labels and ACL; a new one is root's, with `mode`.
   * A dangling link is replaced.
   */
  async write(insidePath: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    const resolved = (await this.resolve(insidePath)) ?? insidePath;
    const facts = await this.lstat(resolved);
    if (facts?.isFile() === true) return this.fill(resolved, "r+", content, undefined);
    const path = (await this.resolve(insidePath, { keepLast: true })) ?? insidePath;
    await this.remove(path);
    await this.makeFolder(dirname(path));
    await this.fill(path, "wx", content, mode);
  }

  /** Like `write`, but never through a link: whatever stands there is replaced by a plain file of root's. */
  async replace(insidePath: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    if ((await this.lstat(insidePath))?.isFile() !== true) await this.remove(insidePath);
    await this.write(insidePath, content, mode);
    const path = (await this.resolve(insidePath, { keepLast: true })) ?? insidePath;
    await chmod(this.outside(path), mode);
  }

  async link(insidePath: string, linkTarget: string): Promise<void> {
    const path = (await this.resolve(insidePath, { keepLast: true })) ?? insidePath;
    await this.makeFolder(dirname(path));
    await this.remove(path);
    await symlink(linkTarget, this.outside(path));
    this.changed.add(path);
  }

  /** Removes a file or link, never a folder with something in it. */
  async remove(insidePath: string): Promise<void> {
    const path = await this.resolve(insidePath, { keepLast: true });
    if (path !== undefined && path !== "/" && (await this.lstat(path)) !== undefined) {
      if ((await this.lstat(path))?.isDirectory() === true) await rmdir(this.outside(path));
      else await rm(this.outside(path));
      this.changed.add(path);
    }
  }

  async makeFolder(insidePath: string, mode = 0o755): Promise<string> {
    const path = (await this.resolve(insidePath)) ?? insidePath;
    await mkdir(this.outside(path), { recursive: true, mode });
    return path;
  }

  /** Configuration of the image that would contradict the old system's: kept, where nothing reads it. */
  async setAside(insidePath: string): Promise<void> {
    const path = await this.resolve(insidePath, { keepLast: true });
    if (path === undefined || (await this.lstat(path)) === undefined) return;
    const destination = `${setAsideFolder}${path}`;
    await this.makeFolder(dirname(destination));
    await rename(this.outside(path), this.outside(destination));
    this.changed.add(path);
    this.notes.push(
      `${path} of the release would contradict the old system's settings; it is in ${setAsideFolder} now.`,
    );
  }

  private async fill(
    path: string,
    flags: "r+" | "wx",
    content: string | Uint8Array,
    mode: number | undefined,
  ): Promise<void> {
    const file = await open(this.outside(path), flags, mode);
    try {
      await file.truncate(0);
      await file.writeFile(content);
      if (mode !== undefined) {
        await file.chmod(mode);
        await file.chown(0, 0);
      }
    } finally {
      await file.close();
    }
    this.changed.add(path);
  }

  /** Owner, then mode again: changing the owner clears set-user-id bits. */
  async own(insidePath: string, uid: number, gid: number): Promise<void> {
    const path = await this.resolve(insidePath, { keepLast: true });
    const facts = path === undefined ? undefined : await this.lstat(path);
    if (path === undefined || facts === undefined || (facts.uid === uid && facts.gid === gid)) return;
    await lchown(this.outside(path), uid, gid);
    if (!facts.isSymbolicLink()) await chmod(this.outside(path), facts.mode & 0o7777);
  }
}
