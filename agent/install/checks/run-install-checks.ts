import type { Check } from "../../checks/check.ts";
import { drivers } from "../../checks/drivers.ts";
import { identity } from "../../checks/identity.ts";
import { architecture, rootUser } from "../../checks/machine.ts";
import { rowsOf, type CheckResult } from "../../checks/run-checks.ts";
import { bootPartition, rescueRoom } from "./boot-partition.ts";
import { counter } from "./counter.ts";
import type { InstallCheck, InstallCheckContext } from "./install-check.ts";
import { otherSlot, slotLayout } from "./other-slot.ts";
import { installMemory, rauc } from "./other-work.ts";
import { product } from "./product.ts";
import { dualSystem, runningSlot } from "./running-slot.ts";

/** In the order a person reads them. Adding a check is adding it here. */
export const installChecks: readonly InstallCheck[] = [
  asConversion(rootUser),
  asConversion(architecture),
  dualSystem,
  product,
  counter,
  runningSlot,
  otherSlot,
  slotLayout,
  bootPartition,
  rauc,
  asConversion(drivers),
  installMemory,
  rescueRoom,
  asConversion(identity),
];

/** A row for each check that applies, or one for each finding. */
export function runInstallChecks(context: InstallCheckContext): CheckResult[] {
  return installChecks.flatMap((check) => rowsOf(check, check.run(context)));
}

/** A question that a conversion asks in the same words. */
function asConversion({ name, title, run }: Check): InstallCheck {
  return {
    name,
    title,
    run: ({ manifest, facts, identity, identityProblems }) =>
      run({ stage: "old-system", manifest, facts, identity, identityProblems, options: {} }),
  };
}
