import { createInterface } from "node:readline/promises";
import { userError } from "../../format/errors.ts";

/** Asks on the terminal until `yes` is typed in full; anything else is no. Without a terminal, --yes has to say it. */
export async function confirm(question: string, signal: AbortSignal, command = "convert"): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw userError(
      {
        code: "confirmation-needed",
        message: "There is no terminal to ask on.",
        hint: `Say sh upgrade.sh ${command} --yes.`,
      },
      "usage",
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // In this mode the terminal gives Ctrl-C to us, not to the process group.
  terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([terminal.question(question, { signal }), closed]);
    return answer.trim().toLowerCase() === "yes";
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    terminal.close();
  }
}
