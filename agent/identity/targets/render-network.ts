import { userError } from "../../../format/errors.ts";
import type { NetworkFamily } from "../../../format/manifest.ts";
import type { TargetFile } from "../config-files.ts";
import { isPlainInterfaceName, isSearchDomain } from "../interface-builder.ts";
import { normalizeNetwork } from "../normalize-identity.ts";
import type { NetworkIdentity } from "./network-identity.ts";
import { renderIfcfg } from "./ifcfg.ts";
import { renderIfupdown } from "./ifupdown.ts";
import { renderNetworkd } from "./networkd.ts";
import { renderNetworkManager } from "./networkmanager.ts";

/** The old network settings as the new system's kind of configuration files. */
export function renderNetwork(family: NetworkFamily, identity: NetworkIdentity): TargetFile[] {
  const network: NetworkIdentity = {
    ...normalizeNetwork(identity.interfaces, identity.dns),
    ...(identity.resolver === undefined ? {} : { resolver: identity.resolver }),
  };
  requirePlainWords(network);
  switch (family) {
    case "ifcfg":
      return renderIfcfg(network);
    case "ifupdown":
      return renderIfupdown(network);
    case "networkd":
      return renderNetworkd(network);
    case "networkmanager":
      return renderNetworkManager(network);
  }
}

/** The values were read from an old machine's files: none may turn into syntax of the new one's. */
function requirePlainWords(network: NetworkIdentity): void {
  const words = [
    ...network.interfaces.map((one) => ({
      what: "interface name",
      text: one.name,
      plain: isPlainInterfaceName(one.name),
    })),
    ...[
      ...network.interfaces.flatMap((one) => one.searchDomains),
      ...network.dns.searchDomains,
      ...(network.resolver?.searchDomains ?? []),
    ].map((text) => ({
      what: "search domain",
      text,
      plain: isSearchDomain(text),
    })),
  ];
  const bad = words.find((word) => !word.plain);
  if (bad === undefined) return;
  throw userError({
    code: "identity-value-unsafe",
    message: `${bad.what} ${JSON.stringify(bad.text)} cannot be written into a configuration file`,
    hint: "Run the conversion again from stage 1, which reads the settings anew.",
  });
}
