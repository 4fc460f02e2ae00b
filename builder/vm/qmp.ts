import { createConnection, type Socket } from "node:net";
import { createInterface } from "node:readline";
import * as z from "zod";
import { InternalError, StepError } from "../../format/errors.ts";

const messageSchema = z.union([
  z.object({ event: z.string(), data: z.record(z.string(), z.unknown()).optional() }),
  z.object({ return: z.unknown(), id: z.int() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.int().optional() }),
  z.object({ QMP: z.unknown() }),
]);

/** `RESET`, `SHUTDOWN`, `GUEST_PANICKED`, …; `atMs` is performance.now() when it arrived. */
export interface MachineEvent {
  event: string;
  atMs: number;
}

/** QEMU's control socket: one JSON value per line. */
export class QmpClient {
  readonly events: MachineEvent[] = [];
  readonly #socket: Socket;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #nextId = 1;
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket }).on("line", (line) => this.#receive(line));
    // A machine that is killed resets the connection; readline hands that on. "close" follows.
    for (const emitter of [socket, lines]) emitter.on("error", () => {});
    socket.on("close", () => {
      this.#closed = true;
      for (const { reject } of this.#pending.values()) reject(new StepError("The virtual machine ended."));
      this.#pending.clear();
    });
  }

  static async open(socket: Socket): Promise<QmpClient> {
    const client = new QmpClient(socket);
    await client.execute("qmp_capabilities");
    return client;
  }

  execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(new StepError("The virtual machine has ended."));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(line: string): void {
    const message = messageSchema.parse(JSON.parse(line));
    if ("event" in message) {
      this.events.push({ event: message.event, atMs: performance.now() });
    } else if ("return" in message) {
      this.#take(message.id).resolve(message.return);
    } else if ("error" in message) {
      const error = new StepError(`QEMU answers "${message.error.desc}"`);
      if (message.id !== undefined) this.#take(message.id).reject(error);
    }
  }

  #take(id: number): { resolve: (value: unknown) => void; reject: (error: Error) => void } {
    const pending = this.#pending.get(id);
    if (!pending) throw new InternalError(`QMP answered request ${id}, which was never sent`);
    this.#pending.delete(id);
    return pending;
  }
}

/** A connected Unix socket. */
export function connectUnix(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
