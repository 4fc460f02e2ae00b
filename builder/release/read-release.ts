import { basename, dirname, resolve } from "node:path";
import { readBounded } from "../../agent/system/files.ts";
import { userError } from "../../format/errors.ts";
import { MiB } from "../../format/sizes.ts";
import { parseRelease } from "./parse-release.ts";
import type { Release } from "./release.ts";

export async function readRelease(path: string): Promise<Release> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readBounded(path, MiB);
  } catch (error) {
    const message = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw userError(
      { code: "release-unreadable", message, hint: "Give a readable text file of at most 1 MiB." },
      "badInput",
      { cause: error },
    );
  }
  if (!bytes)
    throw userError({
      code: "release-missing",
      message: `there is no file ${path}`,
      hint: "Give the path of a release.yaml; examples/release.yaml is one.",
    });
  return parseRelease(bytes.toString("utf8"), basename(path), dirname(resolve(path)));
}
