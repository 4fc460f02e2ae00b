import { exitCodes, userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { parseSize } from "../../format/sizes.ts";
import type { Helper } from "../helper/helper.ts";
import { openHelper, type HelperOptions } from "../helper/open-helper.ts";
import { parseDiskWord } from "../helper/parse-disk-word.ts";
import { helperDocument, helperLine } from "../render/helper.ts";
import { printResult } from "../render/print.ts";
import { removeOnInterrupt } from "../system/remove-on-interrupt.ts";
import type { DiskFormat } from "../vm/description.ts";

export interface HelperCommandOptions {
  disk: string[];
  format?: DiskFormat | undefined;
  allowBackingFile?: true | undefined;
  interactive?: true | undefined;
  tty?: true | undefined;
  tool?: string[] | undefined;
  memory: string;
  kernel?: string | undefined;
  modules?: string | undefined;
  cold?: true | undefined;
  verbose?: true | undefined;
  json?: true | undefined;
}

/** Ends with the command's own exit code. */
export async function helperCommand(words: readonly string[], command: HelperCommandOptions): Promise<void> {
  const options = helperOptions(command);
  const [program, ...rest] = words.length > 0 ? words : shellFor(command);
  // Ctrl-C ends this process, and its end that of the machine and of every file.
  const restore = removeOnInterrupt(() => undefined);
  const report: Reporter = (event) => {
    if (event.kind === "note" && (event.level === "warn" || command.verbose))
      process.stderr.write(`dualroot: ${event.message}\n`);
  };
  const helper = await openHelper({ ...options, report });
  try {
    if (command.verbose) process.stderr.write(`${helperLine(helper.facts)}\n`);
    process.exitCode = await run(helper, [program!, ...rest], command);
    await helper.close();
  } finally {
    await helper.kill();
    restore();
  }
}

async function run(
  helper: Helper,
  argv: [string, ...string[]],
  command: HelperCommandOptions,
): Promise<number> {
  if (command.tty) return await runOnTerminal(helper, argv);
  const input = command.interactive ? { stdin: process.stdin } : {};
  if (command.json) {
    const result = await helper.run(argv, { ...input, acceptExitCodes: "any" });
    printResult(true, helperDocument(result, helper.facts), () => []);
    return result.exitCode;
  }
  const outputs = { stdout: process.stdout, stderr: process.stderr };
  // Nobody reads any more (`… | head`): as other programs end then.
  process.stdout.on("error", () => process.exit(exitCodes.stepFailed));
  const { exitCode } = await helper.run(argv, { ...input, ...outputs, acceptExitCodes: "any" });
  // Nothing of it may keep this process alive.
  if (command.interactive) process.stdin.destroy();
  return exitCode;
}

async function runOnTerminal(helper: Helper, argv: readonly string[]): Promise<number> {
  const { stdin, stdout } = process;
  stdin.setRawMode(true);
  try {
    return await helper.terminal(argv, {
      input: stdin,
      output: stdout,
      // A terminal that nobody has told its size has 0 of each.
      rows: stdout.rows > 0 ? stdout.rows : 24,
      columns: stdout.columns > 0 ? stdout.columns : 80,
      kind: process.env["TERM"] ?? "linux",
    });
  } finally {
    stdin.setRawMode(false);
  }
}

function shellFor(command: HelperCommandOptions): string[] {
  if (command.tty) return ["sh", "-l"];
  throw userError(
    {
      code: "helper-command-missing",
      message: "There is no command to run.",
      hint: "Give it behind --, or ask for a shell with -it. See dualroot helper --help.",
    },
    "usage",
  );
}

function helperOptions(command: HelperCommandOptions): HelperOptions {
  const memoryBytes = parseSize(command.memory);
  if (memoryBytes === undefined) {
    throw userError(
      {
        code: "bad-size",
        message: `--memory ${command.memory} is not a size.`,
        hint: "Write it like 1 GiB or 768MiB.",
      },
      "usage",
    );
  }
  if (command.tty && (!command.interactive || command.json || !process.stdin.isTTY)) {
    throw userError(
      {
        code: "helper-no-terminal",
        message:
          "-t wants a terminal to lead to the command: -i with it, no --json, and standard input on one.",
        hint: "Leave -t out to pass a file or a pipe with -i.",
      },
      "usage",
    );
  }
  return {
    disks: command.disk.map((word) => ({
      ...parseDiskWord(word),
      ...(command.format === undefined ? {} : { format: command.format }),
      allowBackingFile: command.allowBackingFile ?? false,
    })),
    ...(command.kernel === undefined
      ? {}
      : { kernel: { image: command.kernel, ...(command.modules ? { modules: command.modules } : {}) } }),
    memoryBytes,
    tools: command.tool ?? [],
    isCold: command.cold ?? false,
  };
}
