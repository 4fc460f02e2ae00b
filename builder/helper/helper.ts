import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { formatSize, MiB } from "../../format/sizes.ts";
import { portNames } from "./helper-machine.ts";
import { readToMark, type Sink } from "./marked-output.ts";
import { requestLine } from "./request.ts";
import type { StartedHelper } from "./start-helper.ts";
import { runTerminal, type TerminalStreams } from "./terminal.ts";

export interface HelperRunOptions {
  /** Without it the command's standard input is empty. */
  stdin?: string | Uint8Array | Readable | { file: string };
  /** Takes standard output as it comes, however much; without it, it is collected, up to `maximumBytes`. Is not ended. */
  stdout?: Writable;
  stderr?: Writable;
  /** Of each collected stream. */
  maximumBytes?: number;
  /** Exit codes besides 0 that are answers, not failures. */
  acceptExitCodes?: readonly number[] | "any";
  /** Then the whole helper is ended: it cannot stop a command otherwise. */
  timeoutSeconds?: number;
}

export interface HelperRunResult {
  exitCode: number;
  /** Empty when it went elsewhere. */
  stdout: Buffer;
  stderr: Buffer;
}

export interface HelperFacts {
  /** `/dev/vda`, … in the order the disks were given. */
  devices: string[];
  start: StartedHelper["start"];
  startSeconds: number;
  ramdiskBytes: number;
  memoryBytes: number;
  kernelVersion: string;
  accelerator: string;
}

const defaultMaximumBytes = 64 * MiB;
const leaveLimitSeconds = 120;
const endLimitSeconds = 30;

/** A running helper machine. Commands run one after another; each finds what the ones before it have mounted and made. */
export class Helper {
  readonly facts: HelperFacts;
  readonly #started: StartedHelper;
  readonly #report: Reporter;
  readonly #mustWriteBack: boolean;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(started: StartedHelper, facts: HelperFacts, mustWriteBack: boolean, report: Reporter) {
    this.#started = started;
    this.facts = facts;
    this.#mustWriteBack = mustWriteBack;
    this.#report = report;
  }

  /** Runs a program with these arguments, no shell between. */
  run(argv: readonly [string, ...string[]], options: HelperRunOptions = {}): Promise<HelperRunResult> {
    return this.#enqueue(() => this.#run(argv, options));
  }

  /** Runs a program on a terminal of its own that is led to these streams; resolves with its exit code. */
  terminal(argv: readonly string[], streams: TerminalStreams): Promise<number> {
    return this.#enqueue(() => runTerminal(this.#started, argv, streams));
  }

  /** Unmounts everything, waits until the disks have all that was written, and ends the machine. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    const { control, machine } = this.#started;
    try {
      if (!this.#mustWriteBack) return;
      await this.#enqueue(async () => {
        control.send(requestLine("off", []));
        const [busy] = await control.expect("off", leaveLimitSeconds);
        if (busy !== undefined) {
          this.#report({
            kind: "note",
            level: "warn",
            message:
              "A filesystem of the helper was in use to the end: it is synced, but not cleanly unmounted.",
          });
        }
        // Flushes the disks' caches and closes the files.
        await machine.qmp.execute("quit");
        await machine.ended(endLimitSeconds);
      });
    } finally {
      await this.kill();
    }
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    this.#isOver = true;
    await this.#started.machine.kill();
  }

  async #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const result = before.then(() => {
      if (this.#isOver) throw new StepError("The helper has been closed.");
      return work();
    });
    this.#last = result.catch(() => {});
    return await result;
  }

  async #run(argv: readonly [string, ...string[]], options: HelperRunOptions): Promise<HelperRunResult> {
    const { control, stdout, stderr } = this.#started;
    const shown = argv.join(" ");
    this.#report({ kind: "detail", message: `helper$ ${shown}` });
    const mark = randomBytes(16).toString("hex");
    const maximum = options.maximumBytes ?? defaultMaximumBytes;
    const [out, error] = [collector(options.stdout, maximum), collector(options.stderr, maximum)];
    const input =
      options.stdin === undefined ? undefined : await this.#started.machine.connect(portNames.stdin);
    input?.on("error", () => {});
    control.send(requestLine("run", [mark, input ? "input" : "none", ...argv]));
    const outputs = Promise.allSettled([
      readToMark(stdout, Buffer.from(mark), out.sink),
      readToMark(stderr, Buffer.from(mark), error.sink),
    ]);
    let feeding: Promise<string | undefined> = Promise.resolve(undefined);
    let exitCode: number;
    try {
      if (input) {
        await control.expect("reading", leaveLimitSeconds);
        feeding = feed(options.stdin!, input);
      }
      const answer = await control.expect("exit", options.timeoutSeconds ?? Infinity);
      exitCode = Number(answer[0]);
      if (input) {
        input.destroy();
        await control.expect("idle", leaveLimitSeconds);
      }
    } catch (failure) {
      // Nothing more can be asked of it.
      await this.kill();
      await outputs;
      throw failure;
    }
    const unread = await feeding;
    for (const result of await outputs) if (result.status === "rejected") throw result.reason;
    if (unread !== undefined)
      throw new StepError(`The input of ${argv[0]} cannot be read: ${unread}`, { command: shown });
    const accepted = options.acceptExitCodes ?? [];
    if (exitCode !== 0 && accepted !== "any" && !accepted.includes(exitCode)) {
      throw new StepError(`${argv[0]} failed in the helper with exit code ${exitCode}`, {
        command: shown,
        stderrTail: error.bytes().toString().slice(-2000),
      });
    }
    return { exitCode, stdout: out.bytes(), stderr: error.bytes() };
  }
}

/** What the input's source said when it failed, else undefined; that the command wants no more is no failure. */
async function feed(
  source: NonNullable<HelperRunOptions["stdin"]>,
  into: Writable,
): Promise<string | undefined> {
  let problem: string | undefined;
  const from = readableOf(source).on("error", (error) => (problem ??= error.message));
  await pipeline(from, into).catch(() => {});
  return problem;
}

function readableOf(source: NonNullable<HelperRunOptions["stdin"]>): Readable {
  if (source instanceof Readable) return source;
  if (typeof source === "string" || source instanceof Uint8Array) return Readable.from([Buffer.from(source)]);
  return createReadStream(source.file, { highWaterMark: MiB });
}

/** Passes on to a stream at its own pace, or keeps the bytes up to a limit. */
function collector(stream: Writable | undefined, maximum: number): { sink: Sink; bytes: () => Buffer } {
  if (stream) {
    const sink: Sink = (bytes) =>
      new Promise((resolve, reject) => stream.write(bytes, (error) => (error ? reject(error) : resolve())));
    return { sink, bytes: () => Buffer.alloc(0) };
  }
  const kept: Buffer[] = [];
  let size = 0;
  const sink: Sink = (bytes) => {
    size += bytes.length;
    if (size > maximum) {
      throw new StepError(`The command wrote more than ${formatSize(maximum)} to be kept in memory.`, {
        hint: "Give it a stream for its output.",
      });
    }
    // What arrives may be a part of a larger piece that would be kept with it.
    kept.push(Buffer.from(bytes));
  };
  return { sink, bytes: () => Buffer.concat(kept) };
}
