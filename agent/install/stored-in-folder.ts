import { join } from "node:path";
import { InternalError } from "../../format/errors.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { StoredFile } from "../stash/stored-file.ts";

/** The package's files where they lie, as steps ask for them. */
export function storedInFolder(folder: string, manifest: Manifest): (name: string) => StoredFile {
  return (name) => {
    const file = manifest.files.find((candidate) => candidate.name === name);
    if (!file) throw new InternalError(`the manifest lists no ${name}`);
    return {
      name,
      path: join(folder, name),
      ranges: [{ startBytes: 0, sizeBytes: file.size }],
      sizeBytes: file.size,
      sha256: file.sha256,
    };
  };
}
