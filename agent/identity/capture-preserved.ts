import { rm, writeFile } from "node:fs/promises";
import type { Run } from "../system/run.ts";
import { tarMetadataOptions } from "../system/tar-options.ts";
import { defaultPreservedPaths, expandPreservedPaths } from "./preserved-paths.ts";
import { readAccounts } from "./read-accounts.ts";
import { RootFolder } from "./root-folder.ts";

/**
 * Writes the default paths and the release's into `output`, mode 0600. The list of entries is made here, without following
 * a link out of `root`, and tar takes it as it is. Equal files give an equal archive.
 */
export async function capturePreserved(options: {
  root: string;
  paths: readonly string[];
  /** Folders whose content is not carried, such as volumes that both slots share. */
  elsewhere?: readonly string[];
  output: string;
  run: Run;
}): Promise<{ entries: number; missing: string[] }> {
  const root = new RootFolder(options.root);
  const { accounts } = await readAccounts(root);
  const homes = accounts.users
    .map((user) => user.home)
    .filter((home) => home.startsWith("/") && home !== "/");
  const keys = homes
    .flatMap((home) => [`${home}/.ssh/authorized_keys`, `${home}/.ssh/authorized_keys2`])
    // A home with a star in its name is not to become a pattern.
    .filter((path) => !/[*?]/.test(path));
  const { entries, missing } = await expandPreservedPaths(root, {
    listed: options.paths,
    optional: [...defaultPreservedPaths, ...keys],
    folders: homes,
    elsewhere: options.elsewhere ?? [],
  });
  // Private keys are in it: nobody else may open it, not even while it grows.
  await rm(options.output, { force: true });
  await writeFile(options.output, "", { mode: 0o600, flag: "wx" });
  await options.run(
    "tar",
    [
      "--create",
      `--file=${options.output}`,
      `--directory=${options.root}`,
      "--format=posix",
      "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
      "--sparse",
      "--no-recursion",
      ...tarMetadataOptions,
      "--warning=no-file-changed",
      "--verbatim-files-from",
      "--null",
      "--files-from=-",
    ],
    {
      input: entries.map((entry) => `.${entry}\0`).join(""),
      // 1: a file changed while it was read, as logs do; it is there all the same.
      acceptExitCodes: [1],
      hint: "Check that the listed files can be read and that there is room for a copy of them.",
    },
  );
  return { entries: entries.length, missing };
}
