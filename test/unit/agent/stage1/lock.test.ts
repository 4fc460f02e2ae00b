import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { acquireLock } from "../../../../agent/stage1/lock.ts";

const name = `\0dualroot-test-${process.pid}`;

test("one at a time; released by hand", async () => {
  const release = await acquireLock(name);
  await expect(acquireLock(name)).rejects.toMatchObject({ exit: "busy", problems: [{ code: "busy" }] });
  await release();
  await (
    await acquireLock(name)
  )();
});

test("released when its owner is killed", async () => {
  const listen = `require("net").createServer().listen(${JSON.stringify(name)}, () => console.log("locked"))`;
  const owner = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  await once(owner.stdout, "data");
  await expect(acquireLock(name)).rejects.toMatchObject({ exit: "busy" });
  owner.kill("SIGKILL");
  await once(owner, "exit");
  await (
    await acquireLock(name)
  )();
});
