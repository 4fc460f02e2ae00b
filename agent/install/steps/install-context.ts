import type { IdentityRow } from "../../identity/compare.ts";
import type { ObservedNetwork } from "../../identity/observe-network.ts";
import type { InterfaceFacts } from "../../facts/facts.ts";
import type { SlotContext } from "../../steps/step-context.ts";
import type { InstallPlan } from "../plan/install-step.ts";

/** What every step of an upgrade may use beside its own arguments. */
export interface InstallContext extends SlotContext {
  plan: InstallPlan;
  /** What the running kernel shows, for the identity. */
  interfaces: readonly InterfaceFacts[];
  /** Asked for while the archive is unpacked. */
  network: Promise<ObservedNetwork>;
  /** Set once the other slot's state in grubenv may have changed. */
  isMarkedBad: boolean;
  /** Set by compare-identity. */
  identityTable: IdentityRow[];
  /** A person asked to stop: steps that take long look at it between two files. */
  signal: AbortSignal;
}
