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
  const mode = modeIn(config);
  if (mode === undefined || !(await has(`/etc/selinux/${policyIn(config)}/contexts/files`))) return undefined;
  return {
    mode,
    config,
    labels: await source.labels(),
    canRelabel: (await has("/usr/sbin/fixfiles")) || (await has("/sbin/fixfiles")),
  };
}

const modes = ["enforcing", "permissive", "disabled"] as const;

/** As libselinux reads it, for that is who acts on it: any case, whatever follows the word, the first line that has one. */
function modeIn(config: string): SelinuxFacts["mode"] | undefined {
  for (const [, word = ""] of config.matchAll(/^SELINUX=[^\S\n]*(\w+)/gm)) {
    const mode = modes.find((one) => word.toLowerCase().startsWith(one));
    if (mode) return mode;
  }
  return undefined;
}

/** The last line counts; without one it is what libselinux is built with. */
function policyIn(config: string): string {
  const lines = [...config.matchAll(/^[^\S\n]*SELINUXTYPE=[^\S\n]*(.*?)[^\S\n]*$/gim)];
  return lines.at(-1)?.[1] ?? "targeted";
}
