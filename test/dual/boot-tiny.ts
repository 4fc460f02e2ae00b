import { launch, type LaunchOptions, type RunningMachine } from "../../builder/vm/launch.ts";
import type { Drive } from "../../builder/vm/description.ts";
import { tinyMachine } from "../power/run/tiny-machine.ts";

export interface TinyOptions {
  /** See `ordersDisk`; written to. Without it the system says what it is and powers off. */
  orders?: string;
  consoleLog: string;
  filter?: Drive["filter"];
  /** No: the disk gets the guest's flushes. */
  disposable?: boolean;
  onLine?: LaunchOptions["onLine"];
}

/** Switches the tiny gateway on: BIOS, GRUB, whatever slot that chooses. The caller kills it. */
export async function bootTiny(
  disk: string,
  { orders, consoleLog, filter, onLine, disposable = true }: TinyOptions,
): Promise<RunningMachine> {
  const drives: Drive[] =
    orders === undefined
      ? []
      : [{ file: orders, format: "raw", readOnly: false, serial: "orders", disposable: true }];
  const description = tinyMachine({ file: disk, disposable, ...(filter && { filter }) }, drives);
  return launch(description, { accelerator: "tcg", consoleLog, ...(onLine && { onLine }) });
}

/** Waits until a slot is up, marked good, and its gate has done what follows a commit; says which. Restarts on the way do not count. */
export async function waitForGood(machine: RunningMachine, seconds = 300): Promise<"A" | "B"> {
  const words = /dualroot: slot ([AB]) is healthy and marked good\r?\n/;
  const [, slot] = await machine.console.waitFor(words, seconds, "a slot that is well");
  await runIn(
    machine,
    "while pgrep -f '^/bin/sh /usr/lib/dualroot/health-gate' >/dev/null; do sleep 0.5; done",
    seconds,
  );
  return slot as "A" | "B";
}

/** Runs a script in the gateway, which takes one line at a time; what it wrote, or an error when it did not end with 0. */
export async function runIn(machine: RunningMachine, command: string, seconds = 120): Promise<string> {
  const script = Buffer.from(command).toString("base64");
  const line = `echo ${script} | base64 -d >/run/order; sh /run/order`;
  const { exitCode, output } = await machine.console.run(line, seconds);
  if (exitCode !== 0) throw new Error(`"${command}" ended with ${exitCode}:\n${output}`);
  return output.trim();
}

/** Lets the gateway switch itself off, with everything written. */
export async function powerOff(machine: RunningMachine): Promise<void> {
  machine.console.type("systemctl poweroff");
  await machine.ended(120);
}
