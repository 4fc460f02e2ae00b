import type { Identity } from "../../format/identity.ts";

const defaultRoutes = ["0.0.0.0/0", "::/0"];

/**
 * /etc/dualroot/expected.sh: shell variables for the health gate. What the box is sure to have again: fixed addresses and their
 * default gateways. And what it had just now: DNS servers that answered, gateways of a lease.
 */
export function renderExpected(identity: Identity): string {
  const fixed = identity.interfaces.filter((each) => each.ipv4 === "static" || each.ipv6 === "static");
  const gateways = fixed.flatMap((each) =>
    each.routes.flatMap(({ destination, gateway }) =>
      gateway && defaultRoutes.includes(destination) ? [gateway] : [],
    ),
  );
  // The schema allows hexadecimal digits, dots, colons, `/` and a zone: nothing a shell would expand.
  return [
    "# What this box had before its new system; read by /usr/lib/dualroot/health-gate.",
    `DUALROOT_ADDRESSES="${fixed.flatMap((each) => each.addresses).join(" ")}"`,
    `DUALROOT_GATEWAYS="${[...new Set(gateways)].join(" ")}"`,
    `DUALROOT_LEASED_GATEWAYS="${(identity.leasedGateways ?? []).join(" ")}"`,
    `DUALROOT_DNS_SERVERS="${(identity.answeringDnsServers ?? []).join(" ")}"`,
    "",
  ].join("\n");
}
