import type { Run } from "../system/run.ts";

/** For programs that go into the background by themselves but keep their output open, which would keep us waiting for its end. */
export async function startDaemon(run: Run, command: string, args: readonly string[]): Promise<void> {
  await run("sh", ["-c", 'exec "$@" >/dev/null 2>&1', "sh", command, ...args], { timeoutSeconds: 30 });
}
