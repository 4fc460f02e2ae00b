import { open, rm, type FileHandle } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import type { ByteRange } from "../../../agent/plan/step.ts";
import { exportInfo, nbd, optionReply, parseRequest, simpleReply, type NbdRequest } from "./nbd-protocol.ts";
import { SocketReader } from "./socket-reader.ts";
import { VolatileCache } from "./volatile-cache.ts";

/**
 * What the disk does wrong. `drop`: answers that it has written, and has not. `flip`: writes with one bit changed. `fail`: says
 * that it cannot (EIO). `cut`: does it, and then answers nothing any more, as if the power had gone right behind it.
 */
export interface Fault {
  kind: "drop" | "flip" | "fail" | "cut";
  of: "read" | "write" | "flush";
  /** Requests that touch these bytes; absent: any. */
  range?: ByteRange;
  /** Smaller requests are served well. */
  leastBytes?: number;
  /** Only writes that have these bytes in them: what is written, wherever it goes. */
  holds?: Buffer;
  /** How often, at most. */
  times: number;
  /** After its first time it stays with the bytes of that request, whatever its size: a bad spot of the medium. One that cannot be read is well again once it is written, as disks do. */
  sticks?: boolean;
}

export interface FaultyDisk {
  /** For QEMU, in place of a file's name. */
  address: string;
  /** What was done wrong so far. A test that does not look here has not tested anything. */
  done: { fault: Fault; offset: number; length: number }[];
  inject: (fault: Fault) => void;
  /** Resolves at a `cut`; from the next connection on the disk answers again. */
  cut: Promise<void>;
  /** A power cut that leaves of the writes since the last flush those to `kept` only; what was lost. The machine must be off. */
  loseBut: (kept: ByteRange) => Promise<ByteRange[]>;
  close: () => Promise<void>;
}

/** Serves a raw image as a disk that obeys until it is told not to. An NBD server: QEMU writes through it, in order. */
export async function serveFaultyDisk(image: string, socketPath: string): Promise<FaultyDisk> {
  const file = await open(image, "r+");
  const { size } = await file.stat();
  const active: Fault[] = [];
  const done: FaultyDisk["done"] = [];
  const sockets = new Set<Socket>();
  const served = new Set<Promise<void>>();
  const cache = new VolatileCache(file);
  let onCut = (): void => {};
  const cut = new Promise<void>((resolve) => {
    onCut = resolve;
  });
  const take: Medium["take"] = (of, offset, length, payload) => {
    const fault = active.find(
      (one) =>
        one.of === of &&
        one.times > 0 &&
        touches(one, offset, length) &&
        (one.holds === undefined || payload?.includes(one.holds) === true),
    );
    if (!fault) return undefined;
    fault.times -= 1;
    done.push({ fault: { ...fault }, offset, length });
    if (fault.sticks) {
      fault.range ??= { startBytes: offset, sizeBytes: length };
      fault.leastBytes = 0;
    }
    return fault;
  };
  const heal = (offset: number, length: number): void => {
    for (const one of active)
      if (one.of === "read" && one.sticks && one.range && touches({ ...one, leastBytes: 0 }, offset, length))
        one.times = 0;
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    const whole = serve(socket, { file, cache, size, take, heal, onCut })
      .catch((error: unknown) => void socket.destroy(error as Error))
      .finally(() => served.delete(whole));
    served.add(whole);
  });
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
  const hangUp = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(served);
  };
  return {
    address: `nbd+unix:///?socket=${socketPath}`,
    done,
    inject: (fault) => void active.push({ ...fault }),
    cut,
    loseBut: async (kept) => {
      await hangUp();
      return cache.loseBut(kept);
    },
    close: async () => {
      await hangUp();
      await new Promise((resolve) => void server.close(resolve));
      await file.close();
      await rm(socketPath, { force: true });
    },
  };
}

function touches({ range, leastBytes = 0 }: Fault, offset: number, length: number): boolean {
  if (length < leastBytes) return false;
  return !range || (offset < range.startBytes + range.sizeBytes && range.startBytes < offset + length);
}

interface Medium {
  file: FileHandle;
  cache: VolatileCache;
  size: number;
  /** The fault that this request meets, if any. */
  take: (of: Fault["of"], offset: number, length: number, payload?: Buffer) => Fault | undefined;
  /** These bytes were written anew. */
  heal: (offset: number, length: number) => void;
  onCut: () => void;
}

async function serve(socket: Socket, medium: Medium): Promise<void> {
  const reader = new SocketReader(socket);
  if (!(await negotiate(socket, reader, medium.size))) return;
  for (;;) {
    const head = await reader.read(nbd.requestBytes);
    if (!head) return;
    const request = parseRequest(head);
    if (request.command === nbd.command.disconnect) return void socket.end();
    const payload = request.command === nbd.command.write ? await reader.read(request.length) : undefined;
    const { error, data, isLast } = await answer(request, payload, medium);
    if (isLast) {
      medium.onCut();
      return;
    }
    socket.write(simpleReply(request.handle, error, data));
  }
}

/** Options until the client wants to go; true then. */
async function negotiate(socket: Socket, reader: SocketReader, size: number): Promise<boolean> {
  socket.write(nbd.greeting);
  if (!(await reader.read(4))) return false;
  for (;;) {
    const head = await reader.read(16);
    if (!head || head.readBigUInt64BE(0) !== nbd.optionMagic) return false;
    const option = head.readUInt32BE(8);
    await reader.read(head.readUInt32BE(12));
    if (option === nbd.option.abort) return false;
    if (option !== nbd.option.go && option !== nbd.option.info) {
      socket.write(optionReply(option, nbd.reply.unsupported));
      continue;
    }
    socket.write(optionReply(option, nbd.reply.info, exportInfo(size)));
    socket.write(optionReply(option, nbd.reply.acknowledge));
    if (option === nbd.option.go) return true;
  }
}

async function answer(
  { command, offset, length }: NbdRequest,
  payload: Buffer | undefined,
  { file, cache, take, heal }: Medium,
): Promise<{ error: number; data?: Buffer; isLast?: boolean }> {
  const { read, write, flush, trim, writeZeroes } = nbd.command;
  const of = command === read ? "read" : command === flush ? "flush" : "write";
  const fault = take(of, offset, length, payload);
  if (fault?.kind === "fail") return { error: nbd.inputOutputError };
  if (command === read) {
    const data = Buffer.alloc(length);
    await file.read(data, 0, length, offset);
    if (fault?.kind === "flip") data[data.length >> 1]! ^= 1;
    return { error: 0, data };
  }
  if (command === flush && !fault) cache.flushed();
  if (fault?.kind === "drop" || command === flush) return { error: 0 };
  if (command !== write && command !== trim && command !== writeZeroes)
    throw new Error(`the NBD client sent command ${command}`);
  const bytes = Buffer.from(payload ?? Buffer.alloc(length));
  if (fault?.kind === "flip") bytes[bytes.length >> 1]! ^= 1;
  await cache.remember(offset, length);
  await file.write(bytes, 0, bytes.length, offset);
  heal(offset, length);
  return { error: 0, isLast: fault?.kind === "cut" };
}
