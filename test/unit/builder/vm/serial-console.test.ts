import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectUnix } from "../../../../builder/vm/qmp.ts";
import { SerialConsole } from "../../../../builder/vm/serial-console.ts";

/** A real shell at the other end of a real socket, on a pseudo-terminal that echoes as a serial line does. */
let folder: string;
let server: Server;
let shell: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serial-"));
  server = createServer((socket) => {
    shell = spawn("script", ["-q", "-c", "PS1='# ' sh -i", "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    socket.pipe(shell.stdin!);
    shell.stdout!.pipe(socket);
  });
  await new Promise<void>((resolve) => void server.listen(join(folder, "s"), resolve));
});

afterEach(async () => {
  shell?.kill("SIGKILL");
  server.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<SerialConsole> {
  const socket = await connectUnix(join(folder, "s"));
  const console = new SerialConsole({ input: socket, output: socket });
  await console.waitFor(/# $/, 10);
  return console;
}

test("run returns exit code and output, and is not fooled by the echo of what was typed", async () => {
  const console = await open();
  expect(await console.run("echo one; echo two >&2; false")).toEqual({
    exitCode: 1,
    output: expect.stringMatching(/one\ntwo$/),
  });
  expect((await console.run("printf 'no line end'; (exit 42)")).exitCode).toBe(42);
});

test("what was waited for is consumed; the pattern may be split over many chunks", async () => {
  const console = await open();
  console.type(`for part in a b c; do printf "$part"; sleep 0.05; done; echo; echo abc`);
  await console.waitFor(/^abc\r?\n/m, 10);
  await console.waitFor(/^abc\r?\n/m, 10);
  await expect(console.waitFor(/^abc\r?\n/m, 0.3)).rejects.toThrow(/did not show/);
});

test("a time-out quotes the last lines", async () => {
  const console = await open();
  console.type("echo this is the end");
  await console.waitFor(/^this is/m, 10);
  const error: unknown = await console.waitFor(/never/, 0.3).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ hint: expect.stringContaining("this is the end") });
});

test("an end of the machine ends the wait at once", async () => {
  const console = await open();
  const begin = performance.now();
  const wait = console.waitFor(/never/, 60);
  console.type("exit");
  await expect(wait).rejects.toThrow(/ended/);
  expect(performance.now() - begin).toBeLessThan(20_000);
});

test("a long log is not searched again for every chunk", async () => {
  const console = await open();
  const begin = performance.now();
  console.type("seq 1 200000; echo fin''ished");
  await console.waitFor(/^finished/m, 25);
  expect(performance.now() - begin).toBeLessThan(20_000);
  expect(console.lines.length).toBeGreaterThan(200_000);
});
