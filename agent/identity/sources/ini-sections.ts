export interface IniSection {
  name: string;
  entries: { key: string; value: string }[];
}

/**
 * Sections of a systemd unit file or a GLib keyfile, in order; sections of the same name stay apart.
 * Comments (`#`, `;`) and lines outside a section are dropped; a trailing backslash continues a line where asked for.
 */
export function parseIniSections(text: string, options: { continuation: boolean }): IniSection[] {
  const sections: IniSection[] = [];
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    let line = (lines[index] ?? "").trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    while (options.continuation && line.endsWith("\\") && index + 1 < lines.length) {
      index++;
      line = `${line.slice(0, -1)} ${(lines[index] ?? "").trim()}`;
    }
    const header = /^\[([^\]]*)\]$/.exec(line)?.[1];
    if (header !== undefined) {
      sections.push({ name: header, entries: [] });
      continue;
    }
    const equals = line.indexOf("=");
    const section = sections.at(-1);
    if (equals <= 0 || section === undefined) continue;
    section.entries.push({ key: line.slice(0, equals).trim(), value: line.slice(equals + 1).trim() });
  }
  return sections;
}

/** Last value of a key over all sections of that name. */
export function lastValue(sections: readonly IniSection[], name: string, key: string): string | undefined {
  return allValues(sections, name, key).at(-1);
}

/** Every value of a key, in order; an empty value clears what came before, as systemd does. */
export function allValues(sections: readonly IniSection[], name: string, key: string): string[] {
  let values: string[] = [];
  for (const section of sections) {
    if (section.name !== name) continue;
    for (const entry of section.entries) {
      if (entry.key !== key) continue;
      if (entry.value === "") values = [];
      else values.push(entry.value);
    }
  }
  return values;
}
