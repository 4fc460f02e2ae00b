import { parseKeyFile } from "./parse-key-file.ts";

/**
 * Where a release's own system.conf says something else than the one dualroot would write, in what RAUC and GRUB must agree on.
 * One sentence each; everything else in it is the release's own business.
 */
export function contradictions(own: string, expected: string): string[] {
  const given = parseKeyFile(own);
  const wanted = parseKeyFile(expected);
  const found: string[] = [];
  for (const key of ["compatible", "bootloader", "grubenv"]) {
    const value = given.get("system")?.get(key);
    const right = wanted.get("system")?.get(key);
    if (value !== right) found.push(`[system] ${key} is ${shown(value)}, not "${right}"`);
  }
  for (const slot of slotsOf(wanted)) {
    const same = slotsOf(given).find(({ bootname }) => bootname === slot.bootname);
    if (!same) found.push(`no slot has bootname "${slot.bootname}"`);
    else if (same.device !== slot.device)
      found.push(`slot ${slot.bootname} is ${shown(same.device)}, not "${slot.device}"`);
    else if (same.type !== slot.type)
      found.push(`slot ${slot.bootname} has type ${shown(same.type)}, not "${slot.type}"`);
  }
  return found;
}

function slotsOf(groups: ReadonlyMap<string, ReadonlyMap<string, string>>) {
  return [...groups]
    .filter(([name]) => name.startsWith("slot."))
    .map(([, keys]) => ({
      bootname: keys.get("bootname"),
      device: keys.get("device"),
      // RAUC's own default.
      type: keys.get("type") ?? "raw",
    }));
}

function shown(value: string | undefined): string {
  return value === undefined ? "missing" : `"${value}"`;
}
