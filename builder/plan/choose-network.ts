import type { Problem } from "../../format/errors.ts";
import type { NetworkFamily } from "../../format/manifest.ts";
import type { NetworkFacts } from "../rootfs/network-family.ts";

/** Whoever is enabled configures the network; among several, the one that would win at boot. Then whoever is installed. */
const order: readonly NetworkFamily[] = ["ifcfg", "networkmanager", "networkd", "ifupdown"];

export function chooseNetwork(
  wanted: "auto" | NetworkFamily,
  facts: NetworkFacts,
): { family: NetworkFamily } | { problem: Problem } {
  if (wanted !== "auto") {
    if (facts[wanted] !== "absent") return { family: wanted };
    return {
      problem: {
        code: "network-family-absent",
        message: `target.network is ${wanted}, which the root filesystem does not have`,
        hint: `It has: ${present(facts)}.`,
      },
    };
  }
  const family =
    order.find((name) => facts[name] === "enabled") ?? order.find((name) => facts[name] === "installed");
  if (family) return { family };
  return {
    problem: {
      code: "network-family-unknown",
      message: "the root filesystem has none of the ways to configure a network that dualroot knows",
      hint: `Install one of ${order.join(", ")}, or set target.network.`,
    },
  };
}

function present(facts: NetworkFacts): string {
  return order.filter((name) => facts[name] !== "absent").join(", ") || "none that dualroot knows";
}
