import { join } from "node:path";
import { exists } from "../system/files.ts";
import type { Places } from "./places.ts";

/** Was this gateway converted? Then its commands are about two slots. */
export function isDualSystem({ root }: Pick<Places, "root">): Promise<boolean> {
  return exists(join(root, "etc/dualroot/system.json"));
}
