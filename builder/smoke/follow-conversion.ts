import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { StepError } from "../../format/errors.ts";
import type { SerialConsole } from "../vm/serial-console.ts";
import type { Milestones } from "./milestones.ts";
import { mediaFolder, refusal } from "./old-system.ts";

const panic = "Kernel panic";

/** Types `convert`, and returns when the ramdisk's agent says that it runs. */
export async function convertUntilRamdisk(console: SerialConsole, words: string): Promise<void> {
  const mark = `ended-${randomBytes(4).toString("hex")}`;
  const begin = console.position();
  console.type(
    `sh ${mediaFolder}/package/upgrade.sh convert --yes ${words}; dualroot_exit=$?; echo ${mark.slice(0, 3)}""${mark.slice(3)} $dualroot_exit`,
  );
  // Exit code 0 means handed over: the shutdown follows.
  const pattern = new RegExp(`^${mark} ([1-9]\\d*)\\r?\\n|dualroot: ramdisk started|${panic}`, "m");
  const match = await console.waitFor(pattern, 600, "the ramdisk's first line");
  if (match[1] !== undefined)
    throw refusal("convert", Number(match[1]), console.textSince(begin).replaceAll("\r", ""));
  if (match[0] === panic) throw await stopped(console, "The ramdisk's kernel panicked.");
}

/** Returns when the agent says that the disk is converted. */
export async function followRamdisk(console: SerialConsole, milestones: Milestones): Promise<void> {
  let photographed = false;
  for (;;) {
    const match = await console.waitFor(
      /^\[ *\d+\/\d+\] [^\r\n]*|dualroot: converted\.|dualroot: the conversion stopped|dualroot: the agent ended|Kernel panic/m,
      900,
      "the ramdisk's next step",
    );
    if (match[0] === "dualroot: converted.") return;
    if (!match[0].startsWith("[")) throw await stopped(console, `The conversion stopped ("${match[0]}").`);
    // The step that takes longest makes the best picture.
    if (!photographed && /unpack|extract/i.test(match[0])) {
      photographed = true;
      await milestones.take("ramdisk");
    }
  }
}

/** Returns when GRUB has started the new slot's kernel and the new system asks for a login. */
export async function followFirstBoot(console: SerialConsole, milestones: Milestones): Promise<void> {
  for (let pattern = /GNU GRUB|dualroot: booting slot|login: $|Kernel panic|rescue ramdisk\r?\n/m; ;) {
    const match = await console.waitFor(pattern, 400, "the new system's login prompt");
    if (match[0].startsWith("login")) return;
    if (match[0] === panic) throw await stopped(console, "The new system's kernel panicked.");
    if (match[0].startsWith("GNU")) {
      // The screen is drawn after the serial line; the menu stays for three seconds.
      await sleep(800);
      await milestones.take("grub");
    }
    if (match[0].startsWith("dualroot: booting")) pattern = /login: $|Kernel panic/m;
  }
}

/** Lets the rest of the explanation arrive before quoting the console. */
async function stopped(console: SerialConsole, message: string): Promise<StepError> {
  await sleep(5000);
  return new StepError(message, { hint: `The console's last lines:\n${console.tail(40)}` });
}
