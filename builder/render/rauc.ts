/** One line for people. */
export function describeRauc(trusts: readonly string[] | undefined): string {
  return trusts ? `upgrades the gateway too, with bundles signed under ${trusts.join("; ")}` : "(left alone)";
}
