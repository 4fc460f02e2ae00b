import { spawn } from "node:child_process";
import { once } from "node:events";
import { StepError } from "../../format/errors.ts";
import type { Run } from "./run.ts";

const patienceSeconds = 30;

/**
 * Does the work while flock(1) holds a file or a folder, as our grub-editenv does in a slot: Node has no flock(2) of its own. Where
 * there is no flock, or no such path, it is done without.
 */
export async function withFileLock<T>(path: string, run: Run, work: () => Promise<T>): Promise<T> {
  const { exitCode } = await run("sh", ["-c", 'command -v flock >/dev/null && [ -e "$1" ]', "sh", path], {
    acceptExitCodes: [1, 127],
  });
  if (exitCode !== 0) return work();
  const holder = spawn("flock", ["-w", String(patienceSeconds), path, "sh", "-c", "echo held; cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = once(holder, "exit");
  try {
    const held = await Promise.race([once(holder.stdout, "data").then(() => true), ended.then(() => false)]);
    if (!held)
      throw new StepError(`${path} is locked by another program for more than ${patienceSeconds} s`, {
        hint: "Look what runs: fuser shows it.",
      });
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
