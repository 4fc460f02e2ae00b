import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { startHelper, type StartOptions } from "../../../../builder/helper/start-helper.ts";
import { silent } from "../../../../format/events.ts";

const world = vi.hoisted(() => ({ state: "", boots: true }));
vi.mock("../../../../builder/helper/saved-state.ts", () => ({
  savedState: () => ({ folder: world.state, memory: "", devices: "" }),
  saveState: () => Promise.resolve(),
  restoreState: () => Promise.reject(new Error("it cannot be restored")),
}));
vi.mock("../../../../builder/vm/launch.ts", () => ({
  launch: ({ isIncoming }: { isIncoming?: true }) => {
    if (!isIncoming && !world.boots) return Promise.reject(new Error("QEMU cannot be started"));
    const connect = () => {
      const socket: Duplex = new Duplex({
        read() {},
        write(line: Buffer, _, done) {
          if (line.toString().startsWith("start ")) socket.push("ready\n");
          done();
        },
      });
      socket.push("hello\n");
      return Promise.resolve(socket);
    };
    return Promise.resolve({ connect, console: { tail: () => "" }, qmp: {}, kill: () => Promise.resolve() });
  },
}));

const options = { machine: {}, cacheFolder: "", isCold: false, report: silent } as unknown as StartOptions;

test("a saved state goes when the machine boots without it, and stays when nothing works", async () => {
  world.state = mkdtempSync(join(tmpdir(), "dualroot-state-"));
  onTestFinished(() => rmSync(world.state, { recursive: true, force: true }));
  mkdirSync(join(world.state, "memory"));
  world.boots = false;
  await expect(startHelper(options)).rejects.toThrow("QEMU cannot be started");
  expect(existsSync(join(world.state, "memory"))).toBe(true);
  world.boots = true;
  expect((await startHelper(options)).start).toBe("cold");
  expect(existsSync(world.state)).toBe(false);
});

test("a saved state that cannot be removed does not keep the machine from booting", async () => {
  // Not even root removes anything there.
  world.state = "/proc/version";
  world.boots = true;
  expect((await startHelper(options)).start).toBe("cold");
});
