import type { InterfaceFacts } from "../facts/facts.ts";
import { fail, type Check, type CheckContext, type Finding } from "./check.ts";

/** What reading the identity could not take along, and what the gateway has now that was not found in its configuration. */
export const identity: Check = {
  name: "identity",
  title: "Identity",
  run: (context) => {
    const { identityProblems } = context;
    if (identityProblems === undefined) return undefined;
    const findings: Finding[] = [
      ...identityProblems.map((problem) => ({ ...problem, verdict: problem.verdict ?? ("fail" as const) })),
      ...lostAddresses(context),
    ];
    return findings.length > 0 ? findings : "addresses, accounts and keys are carried";
  },
};

/** Every address that a network card has now must come back, whatever the configuration files were taken to mean. */
function lostAddresses({ facts, identity, identityProblems = [] }: CheckContext): Finding[] {
  if (!identity) return [];
  // Reading the identity has said so already, of the interface as a whole.
  const isTold = (name: string): boolean =>
    identityProblems.some(
      ({ code, message }) => code === "interface-not-configured" && message.includes(` ${name} `),
    );
  return facts.interfaces.flatMap((live) => {
    const carried = identity.interfaces.filter(
      ({ name, macAddress }) =>
        name === live.name || (macAddress !== undefined && macAddress === live.macAddress),
    );
    if (carried.length === 0 && isTold(live.name)) return [];
    return lastingAddresses(live)
      .filter((address) => !carried.some((one) => comesBack(address, one)))
      .map((address) =>
        fail({
          code: "address-not-carried",
          message: `The interface ${live.name} has the address ${address}, which the new system would not have.`,
          hint: "Write it into the network configuration of the old system (it may have been set by hand), and check again.",
        }),
      );
  });
}

/** Of real cards only; addresses that belong to one link or one machine are not configuration. */
function lastingAddresses({ driver, up, addresses }: InterfaceFacts): string[] {
  if (driver === undefined || !up) return [];
  return addresses.filter((address) => !/^(fe[89ab][0-9a-f]:|127\.|169\.254\.|::1\/)/i.test(address));
}

function comesBack(
  address: string,
  { addresses, ipv4, ipv6 }: NonNullable<CheckContext["identity"]>["interfaces"][number],
): boolean {
  const dynamic = address.includes(":") ? ipv6 === "auto" || ipv6 === "dhcp" : ipv4 === "dhcp";
  return dynamic || addresses.some((own) => hostPart(own) === hostPart(address));
}

/** Without the prefix length, IPv6 in its one full form, so that `2001:db8::05` equals `2001:db8::5`. */
function hostPart(cidr: string): string {
  const text = cidr.split("/")[0] ?? "";
  return text.includes(":") && URL.canParse(`http://[${text}]/`)
    ? new URL(`http://[${text}]/`).hostname
    : text;
}
