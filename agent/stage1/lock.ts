import { createServer } from "node:net";
import { userError } from "../../format/errors.ts";

/** An abstract Unix socket (unix(7)): taken atomically, released by the kernel when its owner dies, so it is never stale. */
const lockName = "\0dualroot-stage1";

/** Makes this the only upgrade that changes anything on this gateway. Returns how to let go. */
export async function acquireLock(name = lockName): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? busy() : error);
    });
    server.listen(name, resolve);
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function busy(): Error {
  return userError(
    {
      code: "busy",
      message: "Another upgrade is running on this gateway.",
      hint: "Wait until it has ended; sh upgrade.sh status tells how it went.",
    },
    "busy",
  );
}
