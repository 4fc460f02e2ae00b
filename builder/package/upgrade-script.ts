import { InternalError } from "../../format/errors.ts";
import type { PackageFile } from "../../format/manifest.ts";

export interface UpgradeScriptValues {
  releaseName: string;
  releaseVersion: string;
  /** All files of the package but the script itself. */
  files: readonly PackageFile[];
  runtimeSegments: readonly { offset: number; bytes: number; compression: string; sha256: string }[];
  runtimeUnpackedBytes: number;
}

/** agent/stage1/upgrade.sh.template with its @WORDS@ filled in. A word nobody fills, or nobody uses, is our bug. */
export function fillUpgradeScript(template: string, values: UpgradeScriptValues): string {
  const words: Record<string, string> = {
    RELEASE_NAME: shellWord(values.releaseName),
    RELEASE_VERSION: shellWord(values.releaseVersion),
    PACKAGE_FILES: values.files.map((file) => `${file.name} ${file.size} ${file.sha256}`).join("\n"),
    RUNTIME_SEGMENTS: values.runtimeSegments
      .map(({ offset, bytes, compression, sha256 }) => `${offset} ${bytes} ${compression} ${sha256}`)
      .join("\n"),
    RUNTIME_UNPACKED_BYTES: String(values.runtimeUnpackedBytes),
  };
  const used = new Set<string>();
  const filled = template.replaceAll(/@([A-Z][A-Z0-9_]*)@/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined)
      throw new InternalError(`upgrade.sh.template has @${word}@, which the builder cannot fill`);
    used.add(word);
    return value;
  });
  const unused = Object.keys(words).filter((word) => !used.has(word));
  if (unused.length > 0) throw new InternalError(`upgrade.sh.template does not use ${unused.join(", ")}`);
  return filled;
}

/** One word of POSIX sh, whatever the text. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
