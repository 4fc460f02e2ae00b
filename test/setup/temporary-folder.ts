import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Everything the tests put into the folder for temporary files goes with the run, also after a failure. */
export function setup(): () => Promise<void> {
  const before = process.env["TMPDIR"];
  // Short: sockets of virtual machines lie below, and a socket's path has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), "dr-"));
  // As /tmp itself: some tests look at it as another user.
  chmodSync(folder, 0o711);
  process.env["TMPDIR"] = folder;
  return async () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    await remove(folder);
  };
}

/** What a test has just ended may still be writing there. */
async function remove(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if (attempt === 50) throw error;
    }
    await sleep(100);
  }
}
