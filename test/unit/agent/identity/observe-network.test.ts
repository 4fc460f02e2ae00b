import { expect, test } from "vitest";
import { leasedGateways } from "../../../../agent/identity/observe-network.ts";
import type { NetworkInterface } from "../../../../format/identity.ts";

const card = (name: string, ipv4: NetworkInterface["ipv4"]): NetworkInterface => ({
  ...{ name, ipv4, ipv6: "none", addresses: [], routes: [], dnsServers: [], searchDomains: [] },
});
const interfaces = [card("eth0", "dhcp"), card("eth1", "static"), card("eth2", "dhcp")];
const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";

test("the default gateways of leases are read as the kernel prints them", () => {
  const table = [
    head,
    "eth0\t00000000\t0202000A\t0003\t0\t0\t100\t00000000\t0\t0\t0", // default, by DHCP
    "eth0\t0002000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0", // its own network
    "eth1\t00000000\t010200C0\t0003\t0\t0\t200\t00000000\t0\t0\t0", // a fixed interface's
    "eth2\t00000000\t00000000\t0001\t0\t0\t300\t00000000\t0\t0\t0", // a link without gateway
    "eth2\t00000000\t0202000A\t0003\t0\t0\t400\t00000080\t0\t0\t0", // half of the Internet
    "",
  ].join("\n");
  expect(leasedGateways(table, { interfaces })).toEqual(["10.0.2.2"]);
});

test.each(["", "rubbish", `${head}\neth0\t00000000\tzzzzzzzz\t0003\t0\t0\t0\t00000000`])(
  "%j is no gateway",
  (text) => {
    expect(leasedGateways(text, { interfaces })).toEqual([]);
  },
);
