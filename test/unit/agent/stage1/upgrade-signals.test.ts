import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitUntil } from "../../../../agent/system/wait-until.ts";
import { fillUpgradeScript } from "../../../../builder/package/upgrade-script.ts";
import { packageFiles } from "../../../../format/manifest.ts";

let scratch: string;

/**
 * Stands where the C library's loader does, which upgrade.sh starts. Notes each signal and ends a while after the first, as the agent
 * does; `check` is ended by signals, `says` echoes its input, `code N` ends with N.
 */
const fakeAgent = `#!${process.execPath}
const { appendFileSync } = require("node:fs");
const words = process.argv.slice(process.argv.indexOf("--runtime") + 2);
const say = (text) => appendFileSync(process.env.FAKE_LOG, text + "\\n");
if (words[0] === "code") process.exit(Number(words[1]));
if (words[0] === "says") {
  process.stdout.write(process.stdin.isTTY ? "on a terminal: " : "no terminal: ");
  process.stdin.once("data", (data) => { process.stdout.write("heard " + data); process.exit(0); });
  process.stdin.once("end", () => process.exit(9));
}
for (const name of words[0] === "work" ? ["SIGINT", "SIGTERM", "SIGHUP"] : []) process.on(name, () => {
  say(name);
  setTimeout(() => { say("taken back"); process.exit(130); }, 2000);
});
setTimeout(() => process.exit(0), 20000);
say("started " + process.pid);
`;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-signals-"));
  const loader = join(scratch, "runtime/usr/lib64/ld-linux-x86-64.so.2");
  mkdirSync(join(loader, ".."), { recursive: true });
  writeFileSync(loader, fakeAgent);
  chmodSync(loader, 0o755);
  const image = execFileSync("cpio", ["-o", "-H", "newc", "--quiet"], {
    cwd: join(scratch, "runtime"),
    input: "usr\nusr/lib64\nusr/lib64/ld-linux-x86-64.so.2\n",
  });
  mkdirSync(join(scratch, "package"));
  writeFileSync(join(scratch, "package", packageFiles.ramdisk), image);
  mkdirSync(slowTools());
  const slow = '#!/bin/sh\necho unpacking >>"$FAKE_LOG"\nsleep 2\nexec /usr/bin/cpio "$@"\n';
  writeFileSync(join(slowTools(), "cpio"), slow);
  chmodSync(join(slowTools(), "cpio"), 0o755);
  const template = new URL("../../../../agent/stage1/upgrade.sh.template", import.meta.url);
  const sha256 = createHash("sha256").update(image).digest("hex");
  const script = fillUpgradeScript(readFileSync(template, "utf8"), {
    releaseName: "demo",
    releaseVersion: "1",
    files: [],
    runtimeSegments: [{ offset: 0, bytes: image.length, compression: "none", sha256 }],
    runtimeUnpackedBytes: image.length,
  });
  writeFileSync(join(scratch, "package", packageFiles.upgrade), script);
});
/** Where a cpio stands that takes its time. */
const slowTools = (): string => join(scratch, "bin");

afterAll(() => rmSync(scratch, { recursive: true }));

interface How {
  /** Words before the command. */
  prefix?: readonly string[];
  /** All that standard input has; otherwise it stays open. */
  input?: string;
  /** On a terminal, which standard input and output then are. */
  terminal?: boolean;
}

interface Started {
  child: ChildProcessWithoutNullStreams;
  /** What the agent has noted. */
  noted: () => string[];
  /** What lies in its /var/tmp. */
  left: () => string[];
  ended: Promise<{ code: number | null; output: string }>;
}

let count = 0;

/** Its /var/tmp is its own, so that nobody else sees what it unpacks; and so is its process group. */
function start(shell: string, words: readonly string[], how: How = {}): Started {
  const log = join(scratch, `log-${++count}`);
  const unpacked = join(scratch, `unpacked-${count}`);
  mkdirSync(unpacked);
  const command = [...shell.split(" "), join(scratch, "package", packageFiles.upgrade), ...words];
  const mounting = `mount --bind "$1" /var/tmp && shift && exec "$@"`;
  const all = how.terminal
    ? ["script", "--quiet", "--return", "--command", command.join(" "), "/dev/null"]
    : [...(how.prefix ?? []), ...command];
  const child = spawn("unshare", ["--mount", "sh", "-c", mounting, "sh", unpacked, ...all], {
    detached: true,
    env: { ...process.env, FAKE_LOG: log, LC_ALL: "C" },
  });
  if (how.input !== undefined) child.stdin.end(how.input);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
    });
  }
  return {
    child,
    noted: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
    left: () => readdirSync(unpacked),
    ended: once(child, "close").then(([code]) => ({ code: code as number | null, output })),
  };
}

async function startWorking(shell: string, words = ["work"], how: How = {}): Promise<Started> {
  const started = start(shell, words, how);
  await waitUntil(20, async () => started.noted().length > 0);
  return started;
}

const signal = ({ child }: Started, name: NodeJS.Signals, whom: "shell" | "group" = "shell"): boolean =>
  process.kill(whom === "shell" ? child.pid! : -child.pid!, name);

describe.concurrent.each(["dash", "bash", "bash --posix", "busybox sh"])("in %s", (shell) => {
  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
    "%s to the shell reaches the agent, whose end it waits for, and whose code it ends with",
    async (name) => {
      const started = await startWorking(shell);
      signal(started, name);
      expect(await started.ended).toEqual({ code: 130, output: "" });
      // Taken back before the shell ended; nothing of the runtime is left.
      expect(started.noted().slice(1)).toEqual([name === "SIGINT" ? "SIGTERM" : name, "taken back"]);
      expect(started.left()).toEqual([]);
    },
  );

  test("Ctrl-C, which the whole process group gets, and more of them do not hurry it", async () => {
    const started = await startWorking(shell);
    for (const _ of [1, 2, 3]) {
      signal(started, "SIGINT", "group");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    signal(started, "SIGTERM");
    expect(await started.ended).toEqual({ code: 130, output: "" });
    expect(started.noted()).toContain("SIGINT");
    expect(started.noted().at(-1)).toBe("taken back");
  });

  test("before the agent runs the script ends itself, and cleans up", async () => {
    const signals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
    for (const [name, code] of Object.entries(signals)) {
      const started = await startWorking(shell, ["work"], {
        prefix: ["env", `PATH=${slowTools()}:${process.env["PATH"]}`],
      });
      signal(started, name as NodeJS.Signals);
      expect((await started.ended).code).toBe(code);
      expect(started.noted()).toEqual(["unpacking"]);
      expect(started.left()).toEqual([]);
    }
  });

  test("an agent that a signal ends tells so by the code", async () => {
    const started = await startWorking(shell, ["check"]);
    signal(started, "SIGTERM");
    expect((await started.ended).code).toBe(143);
    const atTerminal = await startWorking(shell, ["check"]);
    signal(atTerminal, "SIGINT", "group");
    // The terminal's INT and the TERM that upgrade.sh hands on arrive in either order.
    expect([130, 143]).toContain((await atTerminal.ended).code);
  });

  test("every other code is the agent's", async () => {
    for (const code of [0, 1, 7, 127, 130])
      expect(await start(shell, ["code", String(code)]).ended).toEqual({ code, output: "" });
  });

  test("standard input is the agent's: a pipe, nothing, or a terminal", async () => {
    const piped = await start(shell, ["says"], { input: "yes\n" }).ended;
    expect(piped).toEqual({ code: 0, output: "no terminal: heard yes\n" });
    expect((await start(shell, ["says"], { input: "" }).ended).code).toBe(9);
    const closed = start(shell, ["says"], { prefix: ["sh", "-c", 'exec "$@" <&-', "sh"] });
    expect((await closed.ended).code).toBe(9);
    const typed = await startWorking(shell, ["says"], { terminal: true });
    typed.child.stdin.write("yes\n");
    const { code, output } = await typed.ended;
    expect(code).toBe(0);
    expect(output).toMatch(/^on a terminal: [^]*heard yes/);
  });

  test("Ctrl-C typed at a terminal", async () => {
    const typed = await startWorking(shell, ["work"], { terminal: true });
    typed.child.stdin.write("\u0003");
    expect((await typed.ended).code).toBe(130);
    expect(typed.noted()).toContain("SIGINT");
    expect(typed.noted().at(-1)).toBe("taken back");
  });
});
