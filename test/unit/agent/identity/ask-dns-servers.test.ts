import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { askDnsServers } from "../../../../agent/identity/ask-dns-servers.ts";

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** A server on 127.0.0.N that answers with what `answer` makes of the question. */
async function serve(address: string, port: number, answer: (query: Buffer) => Buffer): Promise<number> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.on("message", (query, from) => socket.send(answer(query), from.port, from.address));
  socket.bind(port, address);
  await once(socket, "listening");
  return (socket.address() satisfies AddressInfo).port;
}
/** A refusal: response bit and code 5. */
const refusal = (query: Buffer): Buffer =>
  Buffer.concat([query.subarray(0, 2), Buffer.from([0x80, 0x05]), query.subarray(4)]);

test("a server that refuses answers; a closed port, a stranger's answer, and nobody do not", async () => {
  const port = await serve("127.0.0.1", 0, refusal);
  await serve("127.0.0.2", port, () => Buffer.from("not what was asked"));
  // One after another they would take five minutes, which this test does not have.
  const silent = Array.from({ length: 100 }, (_, number) => `127.0.0.${number + 3}`);
  const servers = [...silent, "127.0.0.1", "127.0.0.2", "192.0.2.1"];
  expect(await askDnsServers(servers, port)).toEqual(["127.0.0.1"]);
});

test("the question is one that a real server understands", async () => {
  let asked: Buffer = Buffer.alloc(0);
  const port = await serve("127.0.0.1", 0, (query) => refusal((asked = query)));
  await askDnsServers(["127.0.0.1"], port);
  // One question, recursion desired: the root's name servers, class IN.
  expect(asked.subarray(2).toString("hex")).toBe("010000010000000000000000020001");
});
