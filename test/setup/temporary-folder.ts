import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Everything the tests put into the folder for temporary files goes with the run, also after a failure. */
export function setup(): () => void {
  const before = process.env["TMPDIR"];
  // Short: sockets of virtual machines lie below, and a socket's path has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), "dr-"));
  // As /tmp itself: some tests look at it as another user.
  chmodSync(folder, 0o711);
  process.env["TMPDIR"] = folder;
  return () => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    // What a test has just ended may still be writing there.
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
}
