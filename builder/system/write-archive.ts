import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { availableParallelism } from "node:os";
import { finished } from "node:stream/promises";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { drained } from "./drained.ts";

/** What decoding one block may take of a gateway's memory. */
const largestDictionaryBytes = 64 * 1024 * 1024;

export interface ArchiveInputs {
  /** Bytes of a tar without its end; come first. */
  head: AsyncIterable<Uint8Array>;
  root: string;
  /** What GNU tar archives, each `./path` ended by NUL, in this order, without recursion. */
  names: Buffer;
  /** Seconds: later modification times are set back to it. */
  sourceDateEpoch: number;
  /** Some file has holes. */
  sparse: boolean;
  xzLevel: number;
  blockBytes: number;
  output: string;
  onBytes: (tarBytes: number) => void;
  report: Reporter;
}

/** head + GNU tar -> multi-block xz -> file, digested on the way; nothing uncompressed touches the disk. */
export async function writeArchive(inputs: ArchiveInputs): Promise<{ sizeBytes: number; sha256: string }> {
  const [tarCommand, xzCommand] = [tarArguments(inputs), xzArguments(inputs)];
  inputs.report({
    kind: "detail",
    message: `$ ${tarCommand.join(" ")} | ${xzCommand.join(" ")} > ${inputs.output}`,
  });
  const environment = {
    ...process.env,
    LC_ALL: "C",
    TZ: "UTC",
    XZ_OPT: "",
    XZ_DEFAULTS: "",
    TAR_OPTIONS: "",
  };
  const xz = started(xzCommand, environment);
  let tar: Started | undefined;
  try {
    const written = collect(xz.child, inputs.output);
    // Its failure is thrown below, after the processes have said why.
    written.catch(() => xz.child.kill());
    let bytes = 0;
    const feed = async (source: AsyncIterable<Uint8Array>) => {
      for await (const chunk of source) {
        bytes += chunk.length;
        inputs.onBytes(bytes);
        if (!xz.child.stdin!.write(chunk)) await drained(xz.child.stdin!, xz.ended);
        if (xz.child.exitCode !== null || xz.child.signalCode !== null) return;
      }
    };
    await feed(inputs.head);
    tar = started(tarCommand, environment);
    tar.child.stdin!.end(inputs.names);
    await feed(tar.child.stdout as AsyncIterable<Buffer>);
    xz.child.stdin!.end();
    const result = await written.catch((cause: unknown) => {
      throw new StepError(
        `cannot write ${inputs.output}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { hint: "Is there enough space?", cause },
      );
    });
    await Promise.all([tar.succeeded(), xz.succeeded()]);
    return result;
  } finally {
    tar?.child.kill();
    xz.child.kill();
  }
}

/** ACLs and SELinux labels travel as plain xattrs: `--acls` would write the build host's user names. */
function tarArguments({ root, sourceDateEpoch, sparse }: ArchiveInputs): string[] {
  const options = [
    "--create",
    "--directory",
    root,
    "--no-recursion",
    "--null",
    "--verbatim-files-from",
    "--no-unquote",
    "--files-from=-",
    "--format=pax",
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=*",
    "--clamp-mtime",
    `--mtime=@${sourceDateEpoch}`,
  ];
  if (!sparse) return ["tar", ...options];
  // tar writes its process id into the names of sparse entries. In a process id space of its own it is always 1.
  return [
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "tar",
    ...options,
    "--sparse",
    "--hole-detection=raw",
  ];
}

/**
 * At least two threads, because one thread writes blocks without sizes in their headers: other bytes. From level 6 on the
 * dictionary is the whole block, which makes up for blocks smaller than xz's own. No x86 filter: it makes programs smaller
 * but kernel modules, whose calls are not yet relocated, 2.5 % larger.
 */
function xzArguments({ xzLevel, blockBytes }: ArchiveInputs): string[] {
  const threads = Math.max(2, availableParallelism());
  const dictionary = xzLevel < 6 ? "" : `,dict=${Math.min(blockBytes, largestDictionaryBytes)}`;
  return [
    "xz",
    "--compress",
    "--stdout",
    `--threads=${threads}`,
    `--block-size=${blockBytes}`,
    "--check=crc64",
    `--lzma2=preset=${xzLevel}${dictionary}`,
  ];
}

interface Started {
  child: ChildProcess;
  ended: Promise<unknown>;
  succeeded: () => Promise<void>;
}

function started(command: readonly string[], environment: NodeJS.ProcessEnv): Started {
  const [program, ...args] = command;
  const child = spawn(program!, args, { stdio: ["pipe", "pipe", "pipe"], env: environment });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-2000)));
  child.stdin.on("error", () => {
    // The exit code says why the other end was closed.
  });
  let startError: Error | undefined;
  const ended = once(child, "close").catch((error: Error) => (startError = error));
  return {
    child,
    ended,
    succeeded: async () => {
      await ended;
      if (startError === undefined && child.exitCode === 0) return;
      const reason = startError
        ? "cannot be started; is it installed?"
        : `failed with ${child.exitCode === null ? `signal ${child.signalCode}` : `exit code ${child.exitCode}`}`;
      throw new StepError(`${program} ${reason}`, {
        command: command.join(" "),
        stderrTail: stderr,
        hint: /file changed as we read it/.test(stderr)
          ? "The source changed while it was read: build from a folder that nobody writes to."
          : "See the output above.",
        cause: startError,
      });
    },
  };
}

async function collect(child: ChildProcess, output: string): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash("sha256");
  const file = createWriteStream(output, { flush: true });
  const done = finished(file);
  done.catch(() => {});
  let sizeBytes = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
    if (file.errored) throw file.errored;
    if (!file.write(chunk)) await Promise.race([once(file, "drain"), done]);
  }
  file.end();
  await done;
  return { sizeBytes, sha256: hash.digest("hex") };
}
