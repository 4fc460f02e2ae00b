import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Reporter } from "../../format/events.ts";
import type { Accelerator } from "../vm/accelerator.ts";
import type { VirtualMachine } from "../vm/description.ts";
import { launch, type RunningMachine } from "../vm/launch.ts";
import { ControlPort } from "./control-port.ts";
import { portNames } from "./helper-machine.ts";
import { octalEscapes } from "./request.ts";
import { reseedBytes } from "./reseed-program.ts";
import { restoreState, savedState, saveState, type SavedState, type StateInputs } from "./saved-state.ts";

/** A helper that answers. */
export interface StartedHelper {
  machine: RunningMachine;
  control: ControlPort;
  stdout: Socket;
  stderr: Socket;
  start: "restored" | "cold";
}

/** A cold start takes 2 s on an idle machine, a restored one 0.3 s; these are for machines that are anything but idle. */
const coldLimitSeconds = 300;
const restoreLimitSeconds = 60;

export interface StartOptions extends StateInputs {
  cacheFolder: string;
  /** Never restores and never saves. */
  isCold: boolean;
  report: Reporter;
}

/**
 * Restores the helper from its saved state, which is made first when there is none; where that does not work, boots it. The
 * saved machine has no disks: those it is restored with are found by counting its devices anew.
 */
export async function startHelper(options: StartOptions): Promise<StartedHelper> {
  if (options.isCold) return await boot(options);
  const state = savedState(options.cacheFolder, options);
  try {
    if (!existsSync(state.folder)) await makeState(state, options);
    return await restore(state, options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    options.report({
      kind: "note",
      level: "info",
      message: `The helper boots, slower than from its saved state: ${why}`,
    });
    const booted = await boot(options);
    // The machine boots, so the state was to blame: it will not be tried again. Somebody else's cache may be read-only.
    await rm(state.folder, { recursive: true, force: true }).catch(() => {});
    return booted;
  }
}

async function boot({ machine, accelerator }: StartOptions): Promise<StartedHelper> {
  const helper = await connect(machine, accelerator);
  try {
    await helper.control.expect("hello", coldLimitSeconds);
    await begin(helper.control, "counted", coldLimitSeconds);
    return { ...helper, start: "cold" };
  } catch (error) {
    await helper.machine.kill();
    throw error;
  }
}

async function makeState(state: SavedState, { machine, accelerator, report }: StartOptions): Promise<void> {
  report({ kind: "detail", message: `Saving a helper that has booted in ${state.folder}` });
  await saveState(state, async (path) => {
    const template = { ...machine, drives: [], memoryFile: { path, writes: "shared" as const } };
    const helper = await connect(template, accelerator);
    try {
      await helper.control.expect("hello", coldLimitSeconds);
      helper.control.send("preload\n");
      await helper.control.expect("preloaded", coldLimitSeconds);
      return helper.machine;
    } catch (error) {
      await helper.machine.kill();
      throw error;
    }
  });
}

async function restore(state: SavedState, { machine, accelerator }: StartOptions): Promise<StartedHelper> {
  const memoryFile = { path: state.memory, writes: "private" as const };
  const helper = await connect({ ...machine, memoryFile, isIncoming: true }, accelerator);
  try {
    await restoreState(state, helper.machine.qmp);
    await begin(helper.control, "rescan", restoreLimitSeconds);
    return { ...helper, start: "restored" };
  } catch (error) {
    await helper.machine.kill();
    throw error;
  }
}

/** Gives the machine randomness of its own and the time, before it does anything that could need them. */
async function begin(control: ControlPort, devices: "counted" | "rescan", seconds: number): Promise<void> {
  const entropy = octalEscapes(randomBytes(reseedBytes));
  control.send(`start '${entropy}' ${(Date.now() / 1000).toFixed(0)} ${devices}\n`);
  await control.expect("ready", seconds);
}

async function connect(
  machine: VirtualMachine,
  accelerator: Accelerator,
): Promise<Omit<StartedHelper, "start">> {
  const running = await launch(machine, { accelerator });
  try {
    const [control, stdout, stderr, alive] = await Promise.all(
      [portNames.control, portNames.stdout, portNames.stderr, portNames.alive].map((name) =>
        running.connect(name),
      ),
    );
    for (const socket of [stdout!, stderr!, alive!]) socket.on("error", () => {}).pause();
    return {
      machine: running,
      control: new ControlPort(control!, () => running.console.tail()),
      stdout: stdout!,
      stderr: stderr!,
    };
  } catch (error) {
    await running.kill();
    throw error;
  }
}
