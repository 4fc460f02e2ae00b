import { join } from "node:path";
import { openSource } from "../../../../builder/inputs/open-source.ts";
import type { RootSource } from "../../../../builder/inputs/root-source.ts";
import { buildRootfs, type RootfsResult } from "../../../../builder/rootfs/build-rootfs.ts";
import { generatedFiles } from "../../../../builder/rootfs/generated-files.ts";
import { selectEntries } from "../../../../builder/rootfs/select-entries.ts";
import { sha256File } from "../../../../agent/system/files.ts";
import { silent } from "../../../../format/events.ts";

/** A source of any kind into rootfs.tar.xz, as `dualroot build` does it. */
export async function packSource(
  source: string,
  output: string,
  {
    scratch,
    cacheFolder,
    overlay,
    allowBackingFile = false,
  }: { scratch: string; cacheFolder: string; overlay?: string; allowBackingFile?: boolean },
): Promise<RootfsResult> {
  const opened = await openSource(source, {
    scratch: join(scratch, "rootfs"),
    digestOf: async (path) => await sha256File(path),
    cacheFolder,
    allowBackingFile,
    report: silent,
  });
  try {
    return await pack(opened, output, { cacheFolder, ...(overlay === undefined ? {} : { overlay }) });
  } finally {
    await opened.close();
  }
}

async function pack(
  source: RootSource,
  output: string,
  { cacheFolder, overlay }: { cacheFolder: string; overlay?: string },
): Promise<RootfsResult> {
  const { kept } = selectEntries(source.entries, { exclude: [], keep: [] });
  return await buildRootfs(
    {
      source,
      kept,
      overlay,
      generated: generatedFiles({
        enableNetworkd: false,
        mountPoints: ["/data", "/image"],
        selinux: "none",
      }),
      sourceDateEpoch: 1_700_000_000,
      compression: { xzLevel: 1, blockBytes: 1024 * 1024 },
      cacheFolder,
    },
    output,
    silent,
  );
}
