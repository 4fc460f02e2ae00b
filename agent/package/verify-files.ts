import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "../../format/errors.ts";
import type { PackageFile } from "../../format/manifest.ts";
import { sha256File } from "../system/files.ts";

/**
 * Everything wrong with the files, cheap questions first: nothing is hashed while a file is missing or has another size.
 * `measured`: SHA-256 of files that were hashed elsewhere, by name; they need not be in the folder.
 */
export async function verifyFiles(
  folder: string,
  files: readonly PackageFile[],
  onProgress: (doneBytes: number, totalBytes: number) => void = () => {},
  measured: ReadonlyMap<string, string> = new Map(),
): Promise<Problem[]> {
  const unmeasured = files.filter(({ name }) => !measured.has(name));
  const sizeProblems = await verifySizes(folder, unmeasured);
  if (sizeProblems.length > 0) return sizeProblems;
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const problems: Problem[] = [];
  let done = 0;
  for (const file of files) {
    const before = done;
    const found =
      measured.get(file.name) ??
      (await sha256File(join(folder, file.name), (bytes) => onProgress(before + bytes, total)));
    done += file.size;
    if (found !== file.sha256) problems.push(describeMismatch(folder, file, found, files));
  }
  return problems;
}

/** Presence and sizes alone, for files whose digest is measured when they are used. */
export async function verifySizes(folder: string, files: readonly PackageFile[]): Promise<Problem[]> {
  return (await Promise.all(files.map((file) => checkSize(folder, file)))).flat();
}

async function checkSize(folder: string, file: PackageFile): Promise<Problem[]> {
  const where = join(folder, file.name);
  const hint = "Copy the whole folder again.";
  let found;
  try {
    found = await stat(where);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP") throw error;
  }
  if (!found?.isFile()) {
    const message = `${file.name} is missing from the package${found ? ": what has its name is no file" : ""}.`;
    return [{ code: "file-missing", message, hint, where }];
  }
  if (found.size === file.size) return [];
  const sizes = `${found.size} bytes where the manifest says ${file.size}`;
  return found.size < file.size
    ? [
        {
          code: "file-truncated",
          message: `${file.name} is cut off, or another package's: ${sizes}.`,
          hint,
          where,
        },
      ]
    : [
        {
          code: "file-too-long",
          message: `${file.name} is too long, or another package's: ${sizes}.`,
          hint,
          where,
        },
      ];
}

function describeMismatch(
  folder: string,
  file: PackageFile,
  found: string,
  files: readonly PackageFile[],
): Problem {
  const where = join(folder, file.name);
  const other = files.find((candidate) => candidate.sha256 === found);
  if (other) {
    return {
      code: "file-swapped",
      message: `${file.name} is really this package's ${other.name}.`,
      hint: "Copy the whole folder again, and do not rename files in it.",
      where,
    };
  }
  return {
    code: "file-mismatch",
    message: `${file.name} was changed, or is another package's: SHA-256 ${found}, the manifest says ${file.sha256}.`,
    hint: "Copy the whole folder again. If it stays like this, do not use the package.",
    where,
  };
}
