import { chmod, mkdir, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { syncPath } from "../../agent/system/files.ts";
import { userError, hasErrorCode } from "../../format/errors.ts";
import { manifestName, packageFiles, signatureName } from "../../format/manifest.ts";
import { permitName, permitSignatureName } from "../../format/permit.ts";

const packageNames: readonly string[] = [
  ...Object.values(packageFiles),
  manifestName,
  signatureName,
  // Of the older package; the new one is without.
  permitName,
  permitSignatureName,
];

/** Refuses an output folder that holds anything but an older package: nothing of a person's is ever deleted. */
export async function checkOutputFolder(output: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(output);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return;
    throw userError(
      {
        code: "output-not-folder",
        message: `${output} is not a folder that can be written`,
        hint: "Give a new folder, an empty one, or an older package.",
      },
      "badInput",
      { cause: error },
    );
  }
  const strange = names.filter((name) => !packageNames.includes(name));
  if (strange.length > 0 || (names.length > 0 && !names.includes(manifestName))) {
    throw userError({
      code: "output-not-package",
      message: `${output} exists and is not a package: it contains ${JSON.stringify(strange[0] ?? names[0])}`,
      hint: "Give a new folder, an empty one, or an older package.",
    });
  }
}

export interface WorkFolder {
  /** Holds the two below; gone after `remove`. */
  path: string;
  /** The package to be. */
  package: string;
  /** Everything else that the build needs for a while. */
  scratch: string;
  /** Syncs everything and puts the package in place in one step. */
  finish: () => Promise<void>;
  remove: () => Promise<void>;
}

/** A hidden folder beside the output, on the same file system, so that the finished package only has to be renamed. */
export async function createWorkFolder(output: string): Promise<WorkFolder> {
  const target = resolve(output);
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), `.${basename(target)}.building-`));
  const folder = join(work, "package");
  const scratch = join(work, "scratch");
  await mkdir(folder);
  await mkdir(scratch, { mode: 0o700 });
  return {
    path: work,
    package: folder,
    scratch,
    finish: async () => {
      for (const name of await readdir(folder)) {
        const file = await open(join(folder, name), "r+");
        try {
          await file.chmod(name === packageFiles.upgrade ? 0o755 : 0o644);
          await file.sync();
        } finally {
          await file.close();
        }
      }
      await syncPath(folder);
      await chmod(folder, 0o755);
      await replaceFolder(folder, target, join(work, "older"));
      await syncPath(dirname(target));
    },
    remove: async () => await rm(work, { recursive: true, force: true }),
  };
}

/** The old package is moved away first and goes back if the new one cannot take its place. */
async function replaceFolder(folder: string, target: string, older: string): Promise<void> {
  let moved = false;
  try {
    await rename(target, older);
    moved = true;
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
  }
  try {
    await rename(folder, target);
  } catch (error) {
    if (moved) await rename(older, target);
    throw error;
  }
}
