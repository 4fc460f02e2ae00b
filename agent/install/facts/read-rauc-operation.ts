import { exists } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";

const busName = "de.pengutronix.rauc";
const patienceSeconds = 10;

/** What RAUC's service is doing, `idle` or `installing`. It is asked only where it runs: a question would start it. */
export async function readRaucOperation(run: Run): Promise<string | undefined> {
  if (!(await exists("/run/systemd/system"))) return undefined;
  const state = await run("systemctl", ["is-active", "rauc.service"], {
    acceptExitCodes: [1, 3, 4],
    timeoutSeconds: patienceSeconds,
  });
  if (state.stdout.trim() !== "active") return undefined;
  const { stdout, exitCode } = await run(
    "busctl",
    ["get-property", busName, "/", `${busName}.Installer`, "Operation"],
    { acceptExitCodes: [1], timeoutSeconds: patienceSeconds },
  );
  return exitCode === 0 ? /^s "([a-z]+)"/.exec(stdout)?.[1] : undefined;
}
