/** Reads what observe.sh and examine.sh print: `item<TAB>value` lines; anything else on the console is not ours. */
export function parseItems(output: string): Map<string, string> {
  const items = new Map<string, string>();
  for (const line of output.split("\n")) {
    const tab = line.indexOf("\t");
    if (tab > 0) items.set(line.slice(0, tab).trim(), line.slice(tab + 1).trim());
  }
  return items;
}
