import { StepError, userError } from "../../format/errors.ts";
import type { Manifest } from "../../format/manifest.ts";
import type { SerialConsole } from "../vm/serial-console.ts";
import { mediaLabel } from "./disk-copy.ts";
import { parseItems } from "./parse-items.ts";

/** Where the second disk is mounted, in the old and in the new system. */
export const mediaFolder = "/run/dualroot-smoke";

/** Mounts the second disk on a logged-in console. */
export async function mountMedia(console: SerialConsole): Promise<void> {
  const mount = await console.run(
    `mkdir -p ${mediaFolder} && mount -o ro LABEL=${mediaLabel} ${mediaFolder}`,
  );
  if (mount.exitCode !== 0) {
    throw new StepError("The disk with the package cannot be mounted in the guest.", { hint: mount.output });
  }
}

/** What makes the box that box, as the running system shows it. */
export async function observe(console: SerialConsole, manifest: Manifest): Promise<Map<string, string>> {
  const globs = manifest.preserve.paths.map((path) => `'${path.replaceAll("'", `'\\''`)}'`).join(" ");
  const { exitCode, output } = await console.run(`sh ${mediaFolder}/observe.sh ${globs}`, 120);
  const items = parseItems(output);
  if (exitCode !== 0 || !items.has("hostname")) {
    throw new StepError("The identity cannot be read in the guest.", { hint: output });
  }
  return items;
}

/** `sh upgrade.sh check`: its table, or a refusal. */
export async function checkPackage(console: SerialConsole, words: string): Promise<string> {
  const { exitCode, output } = await console.run(`sh ${mediaFolder}/package/upgrade.sh check ${words}`, 300);
  if (exitCode !== 0) throw refusal("check", exitCode, output);
  return output;
}

/** Stage 1 said no: the package's or the gateway's fault, not smoke's. */
export function refusal(command: string, exitCode: number, output: string): Error {
  const problem = {
    code: "upgrade-refused",
    message: `upgrade.sh ${command} ended with exit code ${exitCode}.`,
    hint: output.split("\n").slice(-20).join("\n"),
  };
  return userError(problem, "refused");
}
