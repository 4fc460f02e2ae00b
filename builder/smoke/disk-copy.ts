import { copyFile, link, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Run } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import { MiB } from "../../format/sizes.ts";

const imageInfoSchema = z.object({ format: z.string(), "virtual-size": z.int() });

/** Throw-away qcow2 on top of the gateway's disk, which stays as it is. */
export async function createOverlay(run: Run, gateway: string, overlay: string): Promise<void> {
  const info = await run("qemu-img", ["info", "--output=json", gateway], { acceptExitCodes: [1] });
  if (info.exitCode !== 0) {
    throw userError({
      code: "gateway-unreadable",
      message: `${gateway} cannot be read as a disk image.`,
      hint: "Give a raw or qcow2 image of the gateway's whole disk with --gateway.",
    });
  }
  const { format } = imageInfoSchema.parse(JSON.parse(info.stdout));
  await rm(overlay, { force: true });
  await run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", resolve(gateway), "-F", format, overlay]);
}

/**
 * A disk with the package and smoke's own scripts. ext2, so that every kernel from 3.10 on mounts it; found by its label.
 * `names` are the files of the package that it carries, `others` more files, laid at its top.
 */
export async function createMedia(options: {
  run: Run;
  packageFolder: string;
  names: readonly string[];
  others?: readonly string[];
  scratch: string;
  image: string;
}): Promise<void> {
  const tree = join(options.scratch, "media");
  await rm(tree, { recursive: true, force: true });
  await mkdir(join(tree, "package"), { recursive: true });
  for (const name of options.names)
    await linkOrCopy(join(options.packageFolder, name), join(tree, "package", name));
  for (const file of options.others ?? []) await linkOrCopy(file, join(tree, basename(file)));
  for (const script of ["observe.sh", "examine.sh"]) {
    await copyFile(fileURLToPath(new URL(script, import.meta.url)), join(tree, script));
  }
  const bytes = await folderBytes(tree);
  const size = `${Math.ceil((bytes * 1.03) / MiB) + 16}M`;
  await rm(options.image, { force: true });
  await options.run("mke2fs", [
    "-q",
    "-t",
    "ext2",
    "-b",
    "4096",
    "-i",
    "65536", // few large files: else the inodes alone take a sixteenth
    "-m",
    "0",
    "-L",
    mediaLabel,
    "-d",
    tree,
    options.image,
    size,
  ]);
  await rm(tree, { recursive: true });
}

export const mediaLabel = "DUALROOT";

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    // Another file system.
    await copyFile(from, to);
  }
}

async function folderBytes(folder: string): Promise<number> {
  const files = (await readdir(folder, { withFileTypes: true, recursive: true })).filter((entry) =>
    entry.isFile(),
  );
  const sizes = await Promise.all(
    files.map(async (entry) => (await stat(join(entry.parentPath, basename(entry.name)))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
