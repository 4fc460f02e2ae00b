/** Groups and keys of a GLib key file, as far as RAUC's system.conf uses them; later groups and keys of the same name win. */
export function parseKeyFile(text: string): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  let group: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const name = /^\[([^[\]]+)\]$/.exec(trimmed)?.[1];
    if (name !== undefined) {
      group = groups.get(name) ?? new Map<string, string>();
      groups.set(name, group);
      continue;
    }
    const equals = trimmed.indexOf("=");
    if (equals > 0) group?.set(trimmed.slice(0, equals).trim(), trimmed.slice(equals + 1).trim());
  }
  return groups;
}
