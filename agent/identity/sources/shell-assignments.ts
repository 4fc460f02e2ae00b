/** `NAME=value` lines as sh reads them (quotes, backslashes, comments), without running anything. Later lines win. */
export function parseShellAssignments(text: string): Map<string, string> {
  const values = new Map<string, string>();
  // Every quoted piece ends on its line: initscripts' own tools write no multi-line values.
  for (const rawLine of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(rawLine);
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], shellValue(match[2]));
  }
  return values;
}

/** One word of sh: stops at unquoted blank, `;` or comment. Variables are left as they stand. */
function shellValue(text: string): string {
  let value = "";
  let quote = "";
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (quote === "'") {
      if (char === "'") quote = "";
      else value += char;
    } else if (char === "\\") {
      index++;
      const next = text.charAt(index);
      value += quote === '"' && !/["\\$`]/.test(next) ? char + next : next;
    } else if (quote === '"') {
      if (char === '"') quote = "";
      else value += char;
    } else if (char === "'" || char === '"') {
      quote = char;
    } else if (/[\s;&|#]/.test(char)) {
      // `#` inside a word is no comment, but no value of ours holds one.
      break;
    } else {
      value += char;
    }
  }
  return value;
}
