import { InternalError } from "../../format/errors.ts";
import type { SlotName } from "../../format/grubenv.ts";

export interface MenuValues {
  slots: readonly { name: SlotName; /** `/dev/mapper/VA-root_a` */ device: string }[];
  /** `console=` words of the old system, in order. */
  consoles: readonly string[];
}

/** Words that reach GRUB's parser must be plain: no quote, `$`, `;` or space may change what the menu says. */
const plainWord = /^[A-Za-z0-9_.,:=/@%+-]+$/;

/** grub.cfg from grub/grub.cfg.template. Every placeholder must be known, and every value plain. */
export function fillMenu(template: string, { slots, consoles }: MenuValues): string {
  const serial = serialConsole(consoles);
  const values: Record<string, string> = {
    SLOT_A: volumeNameOf(slots, "A"),
    SLOT_B: volumeNameOf(slots, "B"),
    ORDER: slots.map(({ name }) => name).join(" "),
    CONSOLES: consoles.join(" "),
    SERIAL_UNIT: serial?.unit ?? "",
    SERIAL_SPEED: serial?.speed ?? "",
  };
  for (const [name, value] of Object.entries(values)) {
    const odd = value.split(" ").find((word) => word !== "" && !plainWord.test(word));
    if (odd !== undefined) throw new InternalError(`"${odd}" cannot stand in GRUB's menu (${name})`);
  }
  return template.replaceAll(/@([A-Z_]+)@/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new InternalError(`grub.cfg.template has an unknown placeholder ${placeholder}`);
    return value;
  });
}

function volumeNameOf(slots: MenuValues["slots"], name: SlotName): string {
  return slots.find((slot) => slot.name === name)?.device.replace(/^\/dev\/mapper\//, "") ?? "";
}

/** The last serial console that GRUB can drive: `console=ttyS1,57600n8` -> unit 1 at 57600. The kernel's default speed is 9600. */
export function serialConsole(consoles: readonly string[]): { unit: string; speed: string } | undefined {
  const match = consoles
    .map((word) => /^console=ttyS([0-3])(?:,(\d{1,6}))?/.exec(word))
    .findLast((found) => found !== null);
  return match ? { unit: match[1]!, speed: match[2] ?? "9600" } : undefined;
}
