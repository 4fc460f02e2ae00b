import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasErrorCode } from "../../../format/errors.ts";
import type { Run } from "../../system/run.ts";
import { tarExtractOptions, tarMetadataOptions } from "../../system/tar-options.ts";
import { lstatIfExists, RootFolder } from "../root-folder.ts";
import { readFileCapabilities, setFileCapabilities } from "./file-capabilities.ts";
import type { OwnerMap } from "./owner-map.ts";
import type { TargetWriter } from "./target-writer.ts";

/** Made anew from both systems, or the new system's own: an old copy would undo that. */
const ownedByConversion =
  /^\/(etc\/(passwd|shadow|group|gshadow|fstab|dualroot|sudoers\.d\/dualroot)|usr\/lib\/dualroot|boot\/dualroot)(\/|$)/;
const staging = "/.dualroot-preserved";

/**
 * Unpacks preserved.tar beside its destination and moves entry by entry, so that no link of the target is followed out of it
 * and owners are right before anybody can see a file. Folders that exist keep their owner and mode, except within homes.
 */
export async function restorePreserved(options: {
  target: TargetWriter;
  preservedTar: string;
  owners: OwnerMap;
  homes: readonly string[];
  run: Run;
}): Promise<number> {
  const { target, preservedTar, run } = options;
  const stage = target.outside(staging);
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { mode: 0o700 });
  try {
    await run("tar", [
      ...tarExtractOptions,
      "--delay-directory-restore",
      `--file=${preservedTar}`,
      `--directory=${stage}`,
    ]);
    const capabilities = await readFileCapabilities(stage, run);
    const mover = new PreservedMover(options, new RootFolder(stage), capabilities);
    await mover.moveFolder("/");
    return mover.moved;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

class PreservedMover {
  moved = 0;
  private readonly options: { target: TargetWriter; owners: OwnerMap; homes: readonly string[]; run: Run };
  private readonly stage: RootFolder;
  private readonly capabilities: ReadonlyMap<string, string>;

  constructor(
    options: { target: TargetWriter; owners: OwnerMap; homes: readonly string[]; run: Run },
    stage: RootFolder,
    capabilities: ReadonlyMap<string, string>,
  ) {
    this.options = options;
    this.stage = stage;
    this.capabilities = capabilities;
  }

  async moveFolder(path: string): Promise<void> {
    for (const name of await this.stage.list(path)) await this.moveEntry(join(path, name));
  }

  private async moveEntry(path: string): Promise<void> {
    const { target } = this.options;
    if (ownedByConversion.test(path)) {
      target.notes.push(`${path} is made by the conversion itself; the preserved copy was not used.`);
      return;
    }
    const from = await lstatIfExists(this.stage.outside(path));
    if (from === undefined) return;
    const isFolder = from.isDirectory();
    const there = isFolder ? await target.stat(path) : await target.lstat(path);
    if (isFolder && there?.isDirectory() === true) {
      if (this.options.homes.some((home) => path === home || path.startsWith(`${home}/`))) {
        const destination = (await target.resolve(path)) ?? path;
        await target.own(
          destination,
          this.options.owners.user(from.uid, path),
          this.options.owners.group(from.gid, path),
        );
        await chmod(target.outside(destination), from.mode & 0o7777);
      }
      return this.moveFolder(path);
    }
    if (there !== undefined && there.isDirectory() !== isFolder) {
      target.notes.push(
        `${path} is a ${there.isDirectory() ? "folder" : "file"} on the new system and was not on the old one; it was left as it is.`,
      );
      return;
    }
    await this.mapOwners(path);
    await this.place(path);
  }

  private async mapOwners(path: string): Promise<void> {
    const { owners, target } = this.options;
    const facts = await lstatIfExists(this.stage.outside(path));
    if (facts === undefined) return;
    if (!facts.isDirectory()) this.moved++;
    const uid = owners.user(facts.uid, path);
    const gid = owners.group(facts.gid, path);
    if (uid !== facts.uid || gid !== facts.gid) {
      await target.own(join(staging, path), uid, gid);
      const capabilities = this.capabilities.get(this.stage.outside(path));
      if (capabilities !== undefined)
        await setFileCapabilities(this.stage.outside(path), capabilities, this.options.run);
    }
    if (facts.isDirectory())
      for (const name of await this.stage.list(path)) await this.mapOwners(join(path, name));
  }

  /** Into the folder the path's parent leads to inside the target; another filesystem gets it by tar, with all metadata. */
  private async place(path: string): Promise<void> {
    const { target, run } = this.options;
    const parent = await target.makeFolder(dirname(path));
    const destination = join(parent, path.slice(path.lastIndexOf("/") + 1));
    try {
      await rename(this.stage.outside(path), target.outside(destination));
    } catch (error) {
      if (!hasErrorCode(error, "EXDEV")) throw error;
      const archive = join(this.stage.root, ".moving.tar");
      const name = `.${path.slice(path.lastIndexOf("/"))}`;
      const metadata = ["--sparse", ...tarMetadataOptions, "--preserve-permissions"];
      await run("tar", [
        "--create",
        `--file=${archive}`,
        `--directory=${this.stage.outside(dirname(path))}`,
        ...metadata,
        name,
      ]);
      await run("tar", [
        "--extract",
        "--unlink-first",
        `--file=${archive}`,
        `--directory=${target.outside(parent)}`,
        ...metadata.slice(1),
        name,
      ]);
      await rm(archive);
    }
    target.changed.add(destination);
  }
}
