import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { outcomeOf } from "./child-outcome.ts";
import { feedCommand, type CommandInput } from "./feed-command.ts";

export interface PipelineOptions {
  report: Reporter;
  /** What the first command reads: a regular file, or chunks that come through this process. */
  input: { file: string } | CommandInput;
  commands: readonly (readonly [command: string, ...args: string[]])[];
  /** Bytes of the input consumed so far, about twice a second. */
  onPosition?: (bytes: number) => void;
}

const positionIntervalMs = 500;

/**
 * `first < input | second | …`, all exit codes checked. The commands share sockets; of a file's data nothing passes through
 * this process, and how far the first one has read is the position of the file descriptor it shares with us.
 */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const { report, commands, input } = options;
  const shown = commands.map((argv) => argv.join(" ")).join(" | ");
  report({ kind: "detail", message: `$ ${shown} < ${"file" in input ? input.file : input.name}` });
  const file = "file" in input ? await open(input.file, "r") : undefined;
  let fed = 0;
  const position = (): number => (file ? descriptorPosition(file.fd) : fed);
  const timer = setInterval(() => options.onPosition?.(position()), positionIntervalMs);
  let feeding: Promise<string | undefined> = Promise.resolve(undefined);
  try {
    const ended: Promise<string | undefined>[] = [];
    let next: ChildProcess | undefined;
    // Last first, so that each command's output is its successor's input.
    for (let index = commands.length - 1; index >= 0; index -= 1) {
      const [name, ...args] = commands[index]!;
      const source = index === 0 && file ? file.fd : "pipe";
      const stdio: StdioOptions = [source, next?.stdin ?? "ignore", "pipe"];
      const child = spawn(name, args, { stdio, env: { ...process.env, LC_ALL: "C" } });
      ended.unshift(outcomeOf(child, name, report));
      next?.stdin?.destroy();
      next = child;
    }
    if ("chunks" in input && next?.stdin)
      feeding = feedCommand(input, next.stdin, (bytes) => {
        fed = bytes;
      });
    const outcomes = await Promise.all(ended);
    const failures = [await feeding, ...outcomes].filter((failure) => failure !== undefined);
    if (failures.length > 0) {
      throw new StepError(`${commands.map(([name]) => name).join(" | ")} failed: ${failures.join("; ")}`, {
        command: shown,
      });
    }
  } finally {
    clearInterval(timer);
    await file?.close();
  }
}

function descriptorPosition(descriptor: number): number {
  return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? 0);
}
