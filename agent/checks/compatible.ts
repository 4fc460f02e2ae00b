import { fail, type Check, type Finding } from "./check.ts";

/**
 * The gateway's product word is in /etc/dualroot/compatible; an operator may say it with `--compatible`. Every word that is
 * given must be the package's. Old gateways have none: that passes, and the table shows the package's word to the reader.
 */
export const compatible: Check = {
  name: "compatible",
  title: "Product",
  run: ({ stage, facts, manifest, options }) => {
    if (stage === "ramdisk") return undefined;
    const words = [
      { word: facts.compatible, source: "/etc/dualroot/compatible" },
      { word: options.compatible, source: "--compatible" },
    ];
    const wrong = otherProducts(manifest.compatible, words);
    if (wrong.length > 0) return wrong;
    return words.some(({ word }) => word !== undefined)
      ? manifest.compatible
      : `package is for "${manifest.compatible}"; the gateway does not say what it is`;
  },
};

/** A finding for each word that is given and is not the package's. */
export function otherProducts(
  wanted: string,
  words: readonly { word: string | undefined; source: string }[],
): Finding[] {
  return words
    .filter(({ word }) => word !== undefined && word !== wanted)
    .map(({ word, source }) =>
      fail({
        code: "compatible-mismatch",
        message: `The package is for "${wanted}", this gateway is "${word}".`,
        hint: "Use the package made for this product.",
        where: source,
      }),
    );
}
