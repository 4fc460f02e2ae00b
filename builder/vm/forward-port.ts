import { createServer } from "node:net";
import { InternalError, StepError } from "../../format/errors.ts";
import type { QmpClient } from "./qmp.ts";

/** Leads a free port of 127.0.0.1 to a port of the running guest's first NIC; returns the host's port. */
export async function forwardPort(qmp: QmpClient, guestAddress: string, guestPort: number): Promise<number> {
  const hostPort = await freePort();
  const line = `hostfwd_add net0 tcp:127.0.0.1:${hostPort}-${guestAddress}:${guestPort}`;
  const answer = await qmp.execute("human-monitor-command", { "command-line": line });
  if (typeof answer === "string" && answer.trim() !== "")
    throw new StepError(`QEMU cannot forward a port: ${answer.trim()}`);
  return hostPort;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  if (address === null || typeof address === "string") throw new InternalError("a TCP server has no port");
  return address.port;
}
