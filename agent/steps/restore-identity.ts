import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Identity } from "../../format/identity.ts";
import { restoreIdentity as applyIdentity } from "../identity/restore.ts";
import type { StepOf } from "../plan/step.ts";
import { writeFileDurably } from "../system/files.ts";
import type { StepContext } from "./step-context.ts";

/** Makes the new system the same box: network, names, accounts, keys, files. And tells its health gate what to expect. */
export async function restoreIdentity(step: StepOf<"restore-identity">, context: StepContext): Promise<void> {
  const { identity, preservedTar, manifest, run, notes, changed } = context;
  const { target, network } = step;
  const restored = await applyIdentity({ identity, preservedTar, target, network, release: manifest, run });
  notes.push(...restored.notes);
  changed.push(...restored.changed);
  const folder = join(target, "etc/dualroot");
  await mkdir(folder, { recursive: true });
  await writeFileDurably(join(folder, "expected.sh"), renderExpected(identity));
}

const defaultRoutes = ["0.0.0.0/0", "::/0"];

/** Shell variables for the health gate. Only what the box is sure to have again: fixed addresses, and their default gateways. */
export function renderExpected(identity: Identity): string {
  const fixed = identity.interfaces.filter((each) => each.ipv4 === "static" || each.ipv6 === "static");
  const gateways = fixed.flatMap((each) =>
    each.routes.flatMap(({ destination, gateway }) =>
      gateway && defaultRoutes.includes(destination) ? [gateway] : [],
    ),
  );
  // The schema allows hexadecimal digits, dots, colons, `/` and a zone: nothing a shell would expand.
  return [
    "# What this box had before its conversion; read by /usr/lib/dualroot/health-gate.",
    `DUALROOT_ADDRESSES="${fixed.flatMap((each) => each.addresses).join(" ")}"`,
    `DUALROOT_GATEWAYS="${[...new Set(gateways)].join(" ")}"`,
    "",
  ].join("\n");
}
