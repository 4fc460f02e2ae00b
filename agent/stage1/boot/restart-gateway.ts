import { exists } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";

/** `now`, `later` (not at all), or `HH:MM`, by the gateway's own programs: services are stopped in their own way. */
export async function restartGateway(when: string, slot: "A" | "B", run: Run): Promise<void> {
  if (when === "later") return;
  if (when !== "now") {
    await run("shutdown", ["-r", when, `dualroot: slot ${slot} boots next`], { timeoutSeconds: 60 });
    return;
  }
  if (await exists("/run/systemd/system"))
    await run("systemctl", ["--no-block", "reboot"], { timeoutSeconds: 60 });
  else await run("shutdown", ["-r", "now"], { timeoutSeconds: 60 });
}
