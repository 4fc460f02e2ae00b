import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { ControlPort } from "../../../../builder/helper/control-port.ts";
import type { StartedHelper } from "../../../../builder/helper/start-helper.ts";
import { runTerminal } from "../../../../builder/helper/terminal.ts";

/** Two connected sockets: ours, and the machine's. */
async function port(): Promise<{ ours: Socket; machines: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-port-"));
  const server = createServer().listen(join(folder, "socket"));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await once(server, "listening");
  const ours = connect(join(folder, "socket"));
  const [machines] = (await once(server, "connection")) as [Socket];
  onTestFinished(() => void [ours, machines].map((socket) => socket.destroy()));
  return { ours, machines };
}

test("the last words of a program are shown, though the answer that it has ended is read before them", async () => {
  const [control, terminal] = [await port(), await port()];
  const machine = { connect: () => Promise.resolve(terminal.ours) };
  const helper = { machine, control: new ControlPort(control.ours, () => "") } as unknown as StartedHelper;
  const output = new PassThrough();
  const streams = { input: new PassThrough(), output, rows: 24, columns: 80, kind: "linux" };
  const lastWords = "x".repeat(10_000);
  const ended = runTerminal(helper, ["program"], streams);
  const [request] = (await once(control.machines, "data")) as [Buffer];
  expect(request.toString()).toContain("program");
  // Both are there when they are looked for.
  control.machines.write("exit 7\n");
  terminal.machines.write(lastWords);
  expect(await ended).toBe(7);
  expect(String(output.read())).toBe(lastWords);
});
