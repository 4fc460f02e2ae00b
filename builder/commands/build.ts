import { formatSize } from "../../format/sizes.ts";
import { buildPackage } from "../package/build-package.ts";
import { leftOutLine } from "../render/left-out.ts";
import { printResult } from "../render/print.ts";
import { createProgress } from "../render/progress.ts";
import { table } from "../render/table.ts";

export async function buildCommand(
  releaseFile: string,
  options: { output: string; json?: true; cache: boolean },
): Promise<void> {
  const { folder, manifest, plan, rootfsFromCache } = await buildPackage(
    releaseFile,
    options.output,
    createProgress(),
    { noCache: !options.cache },
  );
  const { left } = plan.rootfs;
  printResult(options.json, { ok: true, folder, manifest, leftOut: left, rootfsFromCache }, () => [
    `${folder}: ${manifest.name} ${manifest.version} for ${manifest.compatible}`,
    ...table(
      manifest.files.map((file) => [file.name, formatSize(file.size), file.sha256.slice(0, 16)]),
      { indent: "  ", right: [1] },
    ),
    `  ${leftOutLine(left)}`,
  ]);
}
