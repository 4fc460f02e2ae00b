import type { Run } from "../system/run.ts";
import { readTextIfExists } from "../system/files.ts";

/** For programs that go into the background by themselves but keep their output open, which would keep us waiting for its end. */
export async function startDaemon(run: Run, command: string, args: readonly string[]): Promise<void> {
  await run("sh", ["-c", 'exec "$@" >/dev/null 2>&1', "sh", command, ...args], { timeoutSeconds: 30 });
}

/** The rescue system may be set up a second time in one ramdisk; what the first time left running makes room. */
export async function stopDaemon(run: Run, pidFile: string): Promise<void> {
  const pid = (await readTextIfExists(pidFile))?.trim();
  if (pid && /^\d+$/.test(pid)) await run("kill", [pid], { acceptExitCodes: [1] });
}
