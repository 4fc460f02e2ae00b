import { userError } from "../../format/errors.ts";
import { stashFile, type Stash } from "../../format/stash.ts";
import type { StoredFile } from "./stored-file.ts";

/** Where each file of the stash can be read: on the disk, by its ranges. */
export function storedOnDisk(stash: Stash, disk: string): (name: string) => StoredFile {
  return (name) => {
    const file = stashFile(stash, name);
    if (!file?.ranges) {
      throw userError(
        {
          code: "stash-damaged",
          message: `The stash cannot be used: stash.json does not say where ${name} lies on the disk.`,
          hint: "Start the conversion again with upgrade.sh.",
        },
        "untrusted",
      );
    }
    const { sizeBytes, sha256, ranges } = file;
    return { name, path: disk, ranges, sizeBytes, sha256 };
  };
}
