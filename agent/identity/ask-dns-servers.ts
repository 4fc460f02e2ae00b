import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/** "Who serves the root zone?" (RFC 1035, section 4.1): every server has an answer to it, and be it a refusal. */
const query = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
/** UDP may lose one. */
const attempts = 2;
const patienceMs = 1500;
const dnsPort = 53;

/** Those of `servers` that answer, in the given order. Nothing is thrown: a network without DNS is no failure. */
export async function askDnsServers(servers: readonly string[], port = dnsPort): Promise<string[]> {
  const answers = await Promise.all(servers.map((server) => answersOf(server, port)));
  return servers.filter((_, index) => answers[index]);
}

async function answersOf(server: string, port: number): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt += 1) if (await ask(server, port)) return true;
  return false;
}

function ask(server: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server.replace(/%.*/, "")) ? "udp6" : "udp4");
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.close();
      resolve(answered);
    };
    const timer = setTimeout(() => end(false), patienceMs);
    socket.once("error", () => end(false));
    socket.on("message", (answer, { port: from }) => {
      if (from === port && answer.length >= 12 && answer.readUInt16BE(0) === query.readUInt16BE(0)) end(true);
    });
    socket.send(query, port, server, (error) => {
      if (error) end(false);
    });
  });
}
