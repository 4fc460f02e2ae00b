import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { portNames } from "./helper-machine.ts";
import { requestLine } from "./request.ts";
import type { StartedHelper } from "./start-helper.ts";

export interface TerminalStreams {
  /** What the person types, as a terminal in raw mode gives it. */
  input: Readable;
  output: Writable;
  rows: number;
  columns: number;
  /** The value of TERM. */
  kind: string;
}

/** Leads the helper's terminal to the given streams while a program runs on it. */
export async function runTerminal(
  { machine, control }: StartedHelper,
  argv: readonly string[],
  { input, output, rows, columns, kind }: TerminalStreams,
): Promise<number> {
  const port = await machine.connect(portNames.terminal);
  port.on("error", () => {});
  port.on("data", (bytes: Buffer) => output.write(bytes));
  const type = (bytes: Buffer | string): void => void port.write(bytes);
  input.on("data", type).resume();
  try {
    control.send(requestLine("terminal", [String(rows), String(columns), kind, ...argv]));
    const [exitCode] = await control.expect("exit", Infinity);
    await readRest(port);
    return Number(exitCode);
  } finally {
    input.off("data", type).pause();
    port.destroy();
  }
}

/** The answer comes over a port of its own: the program's last words, sent before it, may be here too and not yet read. */
async function readRest(port: Socket): Promise<void> {
  let before: number;
  do {
    before = port.bytesRead;
    // Between the two, everything that has arrived is looked at.
    await nextTurn();
    await nextTurn();
  } while (port.bytesRead > before);
}
