import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { hasErrorCode } from "../../format/errors.ts";

/** Kept for a console that is slow; more than this it loses. */
const pendingMaxBytes = 64 * 1024;
const retryMs = 200;

/** Writes text to every console of the kernel. None can block or stop the work: a dead one just loses its lines. */
export function openConsoles(names: readonly string[] = activeConsoles()): (line: string) => void {
  const consoles = names.flatMap((name) => openConsole(name) ?? []);
  return (line) => {
    for (const write of consoles) write(`${line}\r\n`);
  };
}

function activeConsoles(): string[] {
  try {
    return readFileSync("/sys/class/tty/console/active", "utf8").trim().split(/\s+/).filter(Boolean);
  } catch {
    return ["console"];
  }
}

function openConsole(name: string): ((text: string) => void) | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(`/dev/${name}`, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  let pending = Buffer.alloc(0);
  let isDead = false;
  let retry: NodeJS.Timeout | undefined;

  const flush = (): void => {
    retry = undefined;
    try {
      while (pending.length > 0) pending = pending.subarray(writeSync(descriptor, pending));
    } catch (error) {
      if (hasErrorCode(error, "EAGAIN")) {
        retry = setTimeout(flush, retryMs).unref();
        return;
      }
      isDead = true; // hung up or gone
      closeSync(descriptor);
    }
  };
  return (text) => {
    if (isDead || pending.length > pendingMaxBytes) return;
    pending = Buffer.concat([pending, Buffer.from(text)]);
    if (retry === undefined) flush();
  };
}
