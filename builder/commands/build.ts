import { formatSize } from "../../format/sizes.ts";
import { buildPackage } from "../package/build-package.ts";
import { printResult } from "../render/print.ts";
import { createProgress } from "../render/progress.ts";
import { table } from "../render/table.ts";

export async function buildCommand(
  releaseFile: string,
  options: { output: string; raucBundle?: true; json?: true },
): Promise<void> {
  const { folder, bundle, manifest } = await buildPackage(
    releaseFile,
    options.output,
    createProgress(),
    options,
  );
  printResult(
    options.json,
    { ok: true, folder, ...(bundle === undefined ? {} : { bundle }), manifest },
    () => [
      `${folder}: ${manifest.name} ${manifest.version} for ${manifest.compatible}`,
      ...table(
        manifest.files.map((file) => [file.name, formatSize(file.size), file.sha256.slice(0, 16)]),
        { indent: "  ", right: [1] },
      ),
      ...(bundle === undefined ? [] : [`${bundle}: the same as a RAUC bundle`]),
    ],
  );
}
