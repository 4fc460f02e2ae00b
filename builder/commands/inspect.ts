import { join } from "node:path";
import { packageFiles } from "../../format/manifest.ts";
import { readPackageFacts } from "../package/package-facts.ts";
import { listRootfs } from "../package/rootfs-listing.ts";
import { inspectLines } from "../render/inspect.ts";
import { printResult } from "../render/print.ts";

export async function inspectCommand(folder: string, options: { files?: true; json?: true }): Promise<void> {
  const facts = await readPackageFacts(folder);
  const listing = options.files ? await listRootfs(join(folder, packageFiles.rootfs)) : undefined;
  printResult(options.json, listing ? { ...facts, rootfs: listing } : facts, () => [
    ...inspectLines(facts),
    // A newline in a name must not look like another file.
    ...(listing
      ? ["", ...listing.map(({ path }) => path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"))]
      : []),
  ]);
}
