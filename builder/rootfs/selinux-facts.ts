import { join } from "node:path";
import { exists, readTextIfExists } from "../../agent/system/files.ts";
import type { RootSource } from "../inputs/root-source.ts";
import { rootedPath } from "./rooted-path.ts";

export const selinuxConfig = "/etc/selinux/config";

export interface SelinuxFacts {
  /** What /etc/selinux/config says; the release's overlay may have its own. */
  mode: "enforcing" | "permissive" | "disabled";
  /** Text of that file. */
  config: string;
  labels: { looked: number; labelled: number };
  /** The target has the tools that label all files at boot. */
  canRelabel: boolean;
}

/** undefined: the root filesystem has no SELinux policy that could be enforced. */
export async function readSelinuxFacts(
  source: RootSource,
  overlay: string | undefined,
): Promise<SelinuxFacts | undefined> {
  const { root } = source;
  const has = async (path: string) => await exists(await rootedPath(root, path));
  const laid = overlay === undefined ? undefined : await readTextIfExists(join(overlay, selinuxConfig));
  const config = laid ?? (await readTextIfExists(await rootedPath(root, selinuxConfig))) ?? "";
  const policy = /^\s*SELINUXTYPE=(\w+)/m.exec(config)?.[1];
  const mode = /^\s*SELINUX=(enforcing|permissive|disabled)\s*$/m.exec(config)?.[1];
  if (policy === undefined || mode === undefined || !(await has(`/etc/selinux/${policy}/contexts/files`)))
    return undefined;
  return {
    mode: mode as SelinuxFacts["mode"],
    config,
    labels: await source.labels(),
    canRelabel: (await has("/usr/sbin/fixfiles")) || (await has("/sbin/fixfiles")),
  };
}
