import type { Run } from "./run.ts";

/** The filesystem that a path lies on, alone; where sync(1) cannot do that yet (coreutils before 8.24), all of them. */
export async function syncFilesystem(run: Run, path: string): Promise<void> {
  const { exitCode } = await run("sync", ["-f", path], { acceptExitCodes: [1] });
  if (exitCode !== 0) await run("sync", []);
}
