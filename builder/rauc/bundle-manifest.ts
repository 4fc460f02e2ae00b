import { packageFiles, type Manifest } from "../../format/manifest.ts";

export const hookName = "rauc-hook";

/**
 * manifest.raucm of a bundle. The image has an `install` hook, so RAUC leaves the writing to dualroot's own installer: RAUC 1.8
 * unpacks an archive without its extended attributes, and knows nothing of the gateway's identity.
 */
export function bundleManifest(
  manifest: Pick<Manifest, "name" | "version" | "compatible" | "counter">,
): string {
  return [
    "[update]",
    `compatible=${manifest.compatible}`,
    `version=${escaped(manifest.version)}`,
    `description=${escaped(`${manifest.name} ${manifest.version} (counter ${manifest.counter})`)}`,
    "",
    "[bundle]",
    "format=verity",
    "",
    "[hooks]",
    `filename=${hookName}`,
    "hooks=install-check",
    "",
    "[image.rootfs]",
    `filename=${packageFiles.rootfs}`,
    "hooks=install",
    "",
  ].join("\n");
}

/** A key file's value: a backslash begins an escape, blanks at the front are dropped. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replace(/^ /, "\\s");
}
