import { formatSize } from "../../format/sizes.ts";
import { buildPackage } from "../package/build-package.ts";
import { leftOutLine } from "../render/left-out.ts";
import { printResult } from "../render/print.ts";
import { createProgress } from "../render/progress.ts";
import { table } from "../render/table.ts";

export async function buildCommand(
  releaseFile: string,
  options: { output: string; raucBundle?: true; json?: true; cache: boolean },
): Promise<void> {
  const { folder, bundle, manifest, plan, rootfsFromCache } = await buildPackage(
    releaseFile,
    options.output,
    createProgress(),
    { noCache: !options.cache, raucBundle: options.raucBundle },
  );
  const { left } = plan.rootfs;
  const made = bundle === undefined ? {} : { bundle };
  printResult(options.json, { ok: true, folder, ...made, manifest, leftOut: left, rootfsFromCache }, () => [
    `${folder}: ${manifest.name} ${manifest.version} for ${manifest.compatible}`,
    ...table(
      manifest.files.map((file) => [file.name, formatSize(file.size), file.sha256.slice(0, 16)]),
      { indent: "  ", right: [1] },
    ),
    ...(bundle === undefined ? [] : [`${bundle}: the same as a RAUC bundle`]),
    `  ${leftOutLine(left)}`,
  ]);
}
