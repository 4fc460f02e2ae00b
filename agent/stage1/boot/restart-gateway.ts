import { exists } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";

/**
 * `now`, `later` (not at all), or `HH:MM`, by the gateway's own programs: services are stopped in their own way. Says why it could not
 * be arranged: the upgrade itself is done by then, and must not look as if it had failed.
 */
export async function restartGateway(when: string, slot: "A" | "B", run: Run): Promise<string | undefined> {
  try {
    await arrange(when, slot, run);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function arrange(when: string, slot: "A" | "B", run: Run): Promise<void> {
  if (when === "later") return;
  if (when !== "now") {
    await run("shutdown", ["-r", when, `dualroot: slot ${slot} boots next`], { timeoutSeconds: 60 });
    return;
  }
  if (await exists("/run/systemd/system"))
    await run("systemctl", ["--no-block", "reboot"], { timeoutSeconds: 60 });
  else await run("shutdown", ["-r", "now"], { timeoutSeconds: 60 });
}
