import type { InstallCheck } from "./install-check.ts";

/** What the running slot is, the next one must be; and whatever else says what this gateway is must agree. */
export const product: InstallCheck = {
  name: "compatible",
  title: "Product",
  run: ({ manifest, facts, install, options }) => {
    const words = [
      { word: install.system?.compatible, source: "/etc/dualroot/system.json" },
      { word: facts.compatible, source: "/etc/dualroot/compatible" },
      { word: options.compatible, source: "--compatible" },
    ].flatMap(({ word, source }) => (word === undefined ? [] : [{ word, source }]));
    const wrong = words.filter(({ word }) => word !== manifest.compatible);
    if (wrong.length === 0) return manifest.compatible;
    return wrong.map(({ word, source }) => ({
      verdict: "fail" as const,
      code: "compatible-mismatch",
      message: `The package is for "${manifest.compatible}", this gateway is "${word}".`,
      hint: "Use the package made for this product.",
      where: source,
    }));
  },
};
