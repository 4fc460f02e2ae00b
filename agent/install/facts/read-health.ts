import * as z from "zod";
import type { Tree } from "../../facts/tree.ts";
import type { InstallFacts } from "./install-facts.ts";

const healthSchema = z.object({ state: z.string().max(100), message: z.string().max(4000) });

/** The health gate's last verdict; undefined while it has given none since this boot. */
export async function readHealth(tree: Tree): Promise<InstallFacts["health"]> {
  try {
    return healthSchema.parse(JSON.parse((await tree.text("/run/dualroot/health")) ?? "null"));
  } catch {
    return undefined;
  }
}
