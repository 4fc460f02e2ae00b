import type { Problem } from "../../format/errors.ts";
import type { Layout } from "../../format/layout.ts";
import { contradictions } from "./contradictions.ts";
import type { RaucFacts } from "./rauc-facts.ts";
import { raucPlaces } from "./rauc-places.ts";
import { systemConfig } from "./system-config.ts";

/** What is laid into the slot for RAUC. "own": the release brings the file, it stays as it is. */
export interface RaucPlan {
  systemConfig: { text: string } | "own";
  /** PEM. */
  keyring: { text: string } | "own";
  /** Subjects of the certificates in the release's `rauc.keyring`. */
  trusts: string[];
}

/** Pure. Finds all problems. */
export function planRauc(
  { compatible, layout }: { compatible: string; layout: Layout },
  facts: RaucFacts,
): { plan: RaucPlan; problems: Problem[] } {
  const problems: Problem[] = [];
  if (!facts.installed)
    problems.push({
      code: "rauc-not-installed",
      message: `the release has a rauc section, and the root filesystem has no ${raucPlaces.program}`,
      hint: "Install RAUC and its D-Bus service in the root filesystem (Debian: rauc, rauc-service), or leave out the rauc section.",
    });
  if (facts.missingModules.length > 0)
    problems.push({
      code: "rauc-kernel-lacks",
      message: `the target's kernel has no ${facts.missingModules.join(", ")}, without which RAUC cannot mount a bundle`,
      hint: "Build the kernel with CONFIG_BLK_DEV_LOOP, CONFIG_SQUASHFS and CONFIG_DM_VERITY.",
    });
  const text = systemConfig({ compatible, layout });
  for (const message of facts.ownConfig === undefined ? [] : contradictions(facts.ownConfig, text))
    problems.push({
      code: "rauc-config-contradicts",
      message: `the release's own ${raucPlaces.systemConfig} contradicts the release: ${message}`,
      hint: "Correct it, or remove the file: dualroot then writes one.",
    });
  return {
    plan: {
      systemConfig: facts.ownConfig === undefined ? { text } : "own",
      keyring: facts.ownKeyring ? "own" : { text: facts.keyring },
      trusts: facts.trusts,
    },
    problems,
  };
}
