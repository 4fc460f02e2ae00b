import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Reporter } from "../../format/events.ts";

const tailLength = 2000;

/**
 * undefined when the command ended well, else its name and why not, with its last line on standard error. Never rejects, so that every
 * command of a pipeline can be waited for. Standard error is read to its end, which may come after the
 * command's own; standard output is not waited for, since whoever reads it may have stopped.
 */
export async function outcomeOf(
  child: ChildProcess,
  name: string,
  report: Reporter,
): Promise<string | undefined> {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-tailLength);
  });
  try {
    const told = child.stderr && once(child.stderr, "close");
    const [[code, signal]] = (await Promise.all([once(child, "exit"), told])) as [
      [number | null, NodeJS.Signals | null],
      unknown,
    ];
    const last = tail.trimEnd().split("\n").at(-1) ?? "";
    if (tail !== "") report({ kind: "detail", message: tail.trimEnd() });
    if (code === 0) return undefined;
    return `${name}: ${signal ? `killed by ${signal}` : `exit code ${code}`}${last === "" ? "" : ` (${last})`}`;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
