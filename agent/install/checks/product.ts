import { otherProducts } from "../../checks/compatible.ts";
import type { InstallCheck } from "./install-check.ts";

/** What the running slot is, the next one must be; and whatever else says what this gateway is must agree. */
export const product: InstallCheck = {
  name: "compatible",
  title: "Product",
  run: ({ manifest, facts, install, options }) => {
    const wrong = otherProducts(manifest.compatible, [
      { word: install.system?.compatible, source: "/etc/dualroot/system.json" },
      { word: facts.compatible, source: "/etc/dualroot/compatible" },
      { word: options.compatible, source: "--compatible" },
    ]);
    return wrong.length > 0 ? wrong : manifest.compatible;
  },
};
