/**
 * GRUB's environment block: a header line, `name=value` lines, filled up with `#` to 1024 bytes (GRUB manual, "Environment
 * block"). Inside a value a backslash and a newline are each preceded by a backslash.
 * GRUB rewrites the file's blocks in place: it must exist, and be 1024 bytes, for ever.
 */
export const grubenvBytes = 1024;

/** Ours stay within the first 512-byte sector, so that a torn write of the two sectors can only damage padding. */
const slotTextBytes = 512;

const header = "# GRUB Environment Block\n";
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Values by name, in the order of the file. */
export type GrubVariables = ReadonlyMap<string, string>;

export function encodeGrubenv(variables: GrubVariables, maxTextBytes = grubenvBytes): Uint8Array {
  let text = header;
  for (const [name, value] of variables) {
    if (!namePattern.test(name)) throw new RangeError(`"${name}" is not a name GRUB can keep`);
    if (value.includes("\0")) throw new RangeError(`the value of ${name} has a zero byte`);
    text += `${name}=${value.replaceAll(/[\\\n]/g, "\\$&")}\n`;
  }
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length > maxTextBytes) {
    throw new RangeError(`the GRUB environment needs ${bytes.length} bytes, has room for ${maxTextBytes}`);
  }
  return Buffer.concat([bytes, Buffer.alloc(grubenvBytes - bytes.length, "#")]);
}

/** Reads what `encodeGrubenv`, grub-editenv and GRUB itself write; undefined for anything GRUB could not save to. */
export function decodeGrubenv(bytes: Uint8Array): Map<string, string> | undefined {
  const text = Buffer.from(bytes).toString("utf8");
  if (bytes.length !== grubenvBytes || !text.startsWith(header) || text.includes("\0")) return undefined;
  const variables = new Map<string, string>();
  // A line ends at a newline that no backslash escapes.
  for (const [line] of text.matchAll(/(?:[^\\\n]|\\[^])+/g)) {
    const separator = line.indexOf("=");
    if (line.startsWith("#") || separator < 1) continue;
    variables.set(line.slice(0, separator), line.slice(separator + 1).replaceAll(/\\([^])/g, "$1"));
  }
  return variables;
}

export type SlotName = "A" | "B";

/** What RAUC calls bootable: `OK` says the slot may be tried, `tries` how often it was, since it was last marked good. */
export interface SlotState {
  ok: boolean;
  tries: 0 | 1 | 2 | 3;
}

export interface SlotEnvironment {
  /** First the preferred slot. */
  order: readonly SlotName[];
  A: SlotState;
  B: SlotState;
}

/** grubenv of a dual system: RAUC's five keys, always all of them. */
export function encodeSlotEnvironment(environment: SlotEnvironment): Uint8Array {
  const { order, A, B } = environment;
  const variables = new Map([
    ["ORDER", order.join(" ")],
    ["A_OK", A.ok ? "1" : "0"],
    ["A_TRY", String(A.tries)],
    ["B_OK", B.ok ? "1" : "0"],
    ["B_TRY", String(B.tries)],
  ]);
  return encodeGrubenv(variables, slotTextBytes);
}
