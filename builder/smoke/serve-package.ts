import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { InternalError } from "../../format/errors.ts";

export interface PackageServer {
  /** As the guest reaches it: the host is 10.0.2.2 in QEMU's user network. */
  url: string;
  close: () => Promise<void>;
}

/** A small HTTP server of the package's files on a free port of 127.0.0.1, with single ranges, so that a download can resume. */
export async function servePackage(folder: string, names: readonly string[]): Promise<PackageServer> {
  const server = createServer((request, response) => {
    answer(folder, names, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new InternalError("a TCP server has no port");
  return {
    url: `http://10.0.2.2:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  folder: string,
  names: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = names.find((known) => request.url === `/${known}`);
  if (name === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
    response.writeHead(404).end();
    return;
  }
  const file = join(folder, name);
  const { size } = await stat(file);
  const start = Number(/^bytes=(\d{1,15})-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (start > 0 && start >= size) {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  response.writeHead(start > 0 ? 206 : 200, {
    "content-length": size - start,
    "accept-ranges": "bytes",
    ...(start > 0 ? { "content-range": `bytes ${start}-${size - 1}/${size}` } : {}),
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(file, { start }), response);
}
