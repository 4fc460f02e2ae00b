/** machine-id(5): 32 hexadecimal digits; `uninitialized` and an empty file are none. */
export function readMachineId(...texts: readonly (string | undefined)[]): string | undefined {
  return texts
    .map((text) => text?.trim().toLowerCase())
    .find((text) => text !== undefined && /^[0-9a-f]{32}$/.test(text) && !/^0+$/.test(text));
}
