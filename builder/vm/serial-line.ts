import { execFile } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";

/** What is typed on a machine's serial line, and what it says. */
export interface SerialLine {
  input: Socket;
  output: Socket;
}

/**
 * The two pipes behind QEMU's `-chardev pipe,path=PATH`; QEMU opens both ends of each. Not a socket: QEMU writes single characters,
 * of which a socket takes some 277 until they are read. A reader that is late by more loses characters, or sees them twice, or
 * the line stands still for ever (measured with QEMU 7.2). A pipe takes 64 KiB of them.
 */
export async function makeSerialLine(path: string): Promise<void> {
  await promisify(execFile)("mkfifo", ["--mode=600", `${path}.in`, `${path}.out`]);
}

/** Once QEMU has opened them; `output` ends when QEMU does. */
export function openSerialLine(path: string): SerialLine {
  const input = openSync(`${path}.in`, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    const output = openSync(`${path}.out`, constants.O_RDONLY | constants.O_NONBLOCK);
    return {
      input: new Socket({ fd: input, readable: false, writable: true }),
      output: new Socket({ fd: output, readable: true, writable: false }),
    };
  } catch (error) {
    closeSync(input);
    throw error;
  }
}
