import { execa, type ResultPromise } from "execa";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StepError } from "../../format/errors.ts";
import type { Accelerator } from "./accelerator.ts";
import type { VirtualMachine } from "./description.ts";
import { connectUnix, QmpClient, type MachineEvent } from "./qmp.ts";
import { qemuArguments, qemuProgram } from "./qemu.ts";
import { SerialConsole, type ConsoleLine } from "./serial-console.ts";
import { makeSerialLine, openSerialLine } from "./serial-line.ts";

export interface RunningMachine {
  console: SerialConsole;
  qmp: QmpClient;
  /** Connects to a port of the machine; disconnecting is seen by the guest. */
  connect(port: string): Promise<Socket>;
  /** What QEMU told so far, oldest first. */
  events: readonly MachineEvent[];
  /** Resolves when QEMU has ended of itself; throws when it takes longer. */
  ended(seconds: number): Promise<void>;
  /** Presses the reset button. */
  reset(): Promise<void>;
  /** Ends it at once, as a power cut would. Safe to call twice. */
  kill(): Promise<void>;
}

export interface LaunchOptions {
  accelerator: Accelerator;
  /** Without it, what the console shows is kept in memory only. */
  consoleLog?: string;
  onLine?: (line: ConsoleLine) => void;
}

/**
 * Starts the machine with control socket and serial line connected before its first instruction; one that waits for a saved state
 * is left waiting. It dies with this process.
 */
export async function launch(machine: VirtualMachine, options: LaunchOptions): Promise<RunningMachine> {
  if (options.consoleLog !== undefined) await mkdir(dirname(options.consoleLog), { recursive: true });
  // Short path: a Unix socket's is limited to 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), "dualroot-vm-"));
  const sockets = {
    qmp: join(folder, "qmp"),
    serial: join(folder, "serial"),
    consoleLog: options.consoleLog ?? join(folder, "console.log"),
    ports: folder,
  };
  await makeSerialLine(sockets.serial);
  const child = execa(qemuProgram, qemuArguments(machine, options.accelerator, sockets), {
    reject: false,
    stdin: "ignore",
    forceKillAfterDelay: 1000,
  });
  const onExit = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", onExit);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child;
    await rm(folder, { recursive: true, force: true });
    process.off("exit", onExit);
  };
  try {
    // QEMU answers when it has opened everything.
    const qmp = await QmpClient.open(await connectWhenReady(child, sockets.qmp));
    const serial = new SerialConsole(openSerialLine(sockets.serial), options.onLine);
    if (!machine.isIncoming) await qmp.execute("cont");
    return {
      console: serial,
      qmp,
      events: qmp.events,
      connect: (port) => connectWhenReady(child, join(folder, port)),
      ended: (seconds) => waitForEnd(child, seconds, serial),
      reset: async () => void (await qmp.execute("system_reset")),
      kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

async function connectWhenReady(child: ResultPromise, path: string): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await connectUnix(path);
    } catch (error) {
      const isOver = child.exitCode !== null && child.exitCode !== undefined;
      if (isOver || attempt > 240) throw await startError(child, error);
      await sleep(attempt < 40 ? 5 : 50);
    }
  }
}

async function startError(child: ResultPromise, cause: unknown): Promise<StepError> {
  child.kill("SIGKILL");
  const result = await child;
  return new StepError(
    result.code === "ENOENT" ? `${qemuProgram} is not installed.` : "QEMU did not start.",
    {
      stderrTail: String(result.stderr ?? "").slice(-2000),
      hint:
        result.code === "ENOENT"
          ? "Install the package qemu-system-x86."
          : String(result.stderr ?? "").slice(-500),
      cause,
    },
  );
}

async function waitForEnd(child: ResultPromise, seconds: number, serial: SerialConsole): Promise<void> {
  const timeout = new AbortController();
  const late = sleep(seconds * 1000, "late" as const, { signal: timeout.signal }).catch(
    () => "over" as const,
  );
  const first = await Promise.race([child.then(() => "ended" as const), late]);
  timeout.abort();
  if (first === "late") {
    throw new StepError(`The virtual machine did not end within ${seconds} s.`, {
      hint: `The console's last lines:\n${serial.tail()}`,
    });
  }
}
