import { join } from "node:path";
import type { RootSource } from "../../builder/inputs/root-source.ts";
import { buildRootfs } from "../../builder/rootfs/build-rootfs.ts";
import { generatedFiles } from "../../builder/rootfs/generated-files.ts";
import { selectEntries } from "../../builder/rootfs/select-entries.ts";
import { silent } from "../../format/events.ts";

/** The level of both sides. */
export const xzLevel = 6;

/** All of a source into `output` as a build packs it; `folder/cache` is its cache. */
export async function packRoot(source: RootSource, folder: string, output: string): Promise<void> {
  const { kept } = selectEntries(source.entries, { exclude: [], keep: [] });
  await buildRootfs(
    {
      source,
      kept,
      overlay: undefined,
      generated: generatedFiles({ enableNetworkd: false, mountPoints: [], selinux: "none" }),
      cacheFolder: join(folder, "cache"),
      sourceDateEpoch: 1_700_000_000,
      compression: { xzLevel, blockBytes: 16 * 1024 * 1024 },
    },
    output,
    silent,
  );
}
