import { fail, type Check } from "./check.ts";

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
    ].flatMap(({ word, source }) => (word === undefined ? [] : [{ word, source }]));
    const wrong = words.filter(({ word }) => word !== manifest.compatible);
    if (wrong.length === 0) {
      return words.length > 0
        ? manifest.compatible
        : `package is for "${manifest.compatible}"; the gateway does not say what it is`;
    }
    return wrong.map(({ word, source }) =>
      fail({
        code: "compatible-mismatch",
        message: `The package is for "${manifest.compatible}", this gateway is "${word}".`,
        hint: "Use the package made for this product.",
        where: source,
      }),
    );
  },
};
