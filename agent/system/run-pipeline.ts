import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";

export interface PipelineOptions {
  report: Reporter;
  /** Regular file that the first command reads as its standard input. */
  inputFile: string;
  commands: readonly (readonly [command: string, ...args: string[]])[];
  /** Bytes of the input consumed so far, about twice a second. */
  onPosition?: (bytes: number) => void;
}

const tailLength = 2000;
const positionIntervalMs = 500;

/**
 * `first < file | second | …`, all exit codes checked. The data never passes through this process: the commands
 * share sockets, and how far the first one has read is the position of the file descriptor it shares with us.
 */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const { report, commands } = options;
  report({
    kind: "detail",
    message: `$ ${commands.map((argv) => argv.join(" ")).join(" | ")} < ${options.inputFile}`,
  });
  const input = await open(options.inputFile, "r");
  const timer = setInterval(() => options.onPosition?.(descriptorPosition(input.fd)), positionIntervalMs);
  try {
    const started: { name: string; ended: Promise<string | undefined> }[] = [];
    let next: ChildProcess | undefined;
    // Last first, so that each command's output is its successor's input.
    for (let index = commands.length - 1; index >= 0; index -= 1) {
      const [name, ...args] = commands[index]!;
      const stdio: StdioOptions = [index === 0 ? input.fd : "pipe", next?.stdin ?? "ignore", "pipe"];
      const child = spawn(name, args, { stdio, env: { ...process.env, LC_ALL: "C" } });
      started.unshift({ name, ended: outcomeOf(child, report) });
      next?.stdin?.destroy();
      next = child;
    }
    const failures: string[] = [];
    for (const { name, ended } of started) {
      const failure = await ended;
      if (failure !== undefined) failures.push(`${name}: ${failure}`);
    }
    if (failures.length > 0) {
      throw new StepError(`${commands.map(([name]) => name).join(" | ")} failed: ${failures.join("; ")}`, {
        command: commands.map((argv) => argv.join(" ")).join(" | "),
      });
    }
  } finally {
    clearInterval(timer);
    await input.close();
  }
}

/** undefined when the command ended well, else why not. Never rejects, so that every command is waited for. */
async function outcomeOf(child: ChildProcess, report: Reporter): Promise<string | undefined> {
  let tail = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-tailLength);
  });
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (tail !== "") report({ kind: "detail", message: tail.trimEnd() });
    if (code === 0) return undefined;
    return `${signal ? `killed by ${signal}` : `exit code ${code}`}${tail === "" ? "" : ` (${lastLine(tail)})`}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function descriptorPosition(descriptor: number): number {
  return Number(/^pos:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8"))?.[1] ?? 0);
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
