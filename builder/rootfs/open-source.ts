import { mkdir, stat } from "node:fs/promises";
import { userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { decompressed } from "../system/decompress.ts";
import { extractArchive } from "../system/extract-archive.ts";
import { compressionOfFile } from "./archive-format.ts";
import { scanArchive } from "./scan-archive.ts";

/** The root filesystem as a folder: the source itself, or the source archive, checked and then extracted to `scratch`. */
export async function openSource(source: string, scratch: string, report: Reporter): Promise<string> {
  const stats = await stat(source).catch((cause: unknown) => {
    throw userError(
      {
        code: "rootfs-missing",
        message: `there is no root filesystem at ${source}`,
        hint: "rootfs.source is a folder or a tar; relative paths start at the folder of the release file.",
      },
      "badInput",
      { cause },
    );
  });
  if (process.getuid?.() !== 0) {
    throw userError(
      {
        code: "build-not-root",
        message: "building a package needs root, to read and keep owners, labels and capabilities",
        hint: "Run it with sudo, or as root in a container.",
      },
      "refused",
    );
  }
  if (stats.isDirectory()) return source;
  if (!stats.isFile())
    throw userError({
      code: "rootfs-not-file",
      message: `${source} is neither a folder nor a file`,
      hint: "Give a folder, .tar, .tar.gz, .tar.xz or .tar.zst.",
    });
  const compression = await compressionOfFile(source);
  const { acls } = await scanArchive(decompressed(source, compression));
  await mkdir(scratch, { mode: 0o700 });
  await extractArchive({ source, compression, acls, folder: scratch }, report);
  return scratch;
}
