import { spawn, type ChildProcess } from "node:child_process";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { outcomeOf } from "./child-outcome.ts";
import { feedCommand, type CommandInput } from "./feed-command.ts";

export interface PipelineOutputOptions {
  report: Reporter;
  commands: readonly (readonly [command: string, ...args: string[]])[];
  /** What the first one reads; nothing without. */
  input?: CommandInput;
}

/**
 * `first | second | …` as the stream of the last one's output. Ends with a StepError when any of them
 * fails, even if all of its output came. Whoever stops reading ends them.
 */
export async function* pipelineOutput({
  report,
  commands,
  input,
}: PipelineOutputOptions): AsyncGenerator<Buffer> {
  const shown = commands.map((argv) => argv.join(" ")).join(" | ");
  report({ kind: "detail", message: `$ ${shown}` });
  const children: ChildProcess[] = [];
  const ended: Promise<string | undefined>[] = [];
  try {
    let last: ChildProcess | undefined;
    let next: ChildProcess | undefined;
    // Last first, so that each command's output is its successor's input.
    for (const [name, ...args] of commands.toReversed()) {
      const child: ChildProcess = spawn(name, args, {
        stdio: [
          next === undefined && commands.length === 1 && !input ? "ignore" : "pipe",
          next?.stdin ?? "pipe",
          "pipe",
        ],
        env: { ...process.env, LC_ALL: "C" },
      });
      children.unshift(child);
      ended.unshift(outcomeOf(child, name, report));
      next?.stdin?.destroy();
      last ??= child;
      next = child;
    }
    const feeding = input && next?.stdin ? feedCommand(input, next.stdin) : next?.stdin?.end();
    for await (const chunk of last?.stdout ?? []) yield chunk as Buffer;
    const outcomes = [await feeding, ...(await Promise.all(ended))];
    const failures = outcomes.filter((failure) => typeof failure === "string");
    if (failures.length > 0)
      throw new StepError(`${commands.map(([name]) => name).join(" | ")} failed: ${failures.join("; ")}`, {
        command: shown,
      });
  } finally {
    for (const child of children)
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await Promise.all(ended);
  }
}
