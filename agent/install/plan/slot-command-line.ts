import type { InstallFacts } from "../facts/install-facts.ts";

/**
 * Words for /etc/dualroot/command-line: the new release's, then the gateway's own. Those are what stands there beside the words
 * that the running release brought; in the old system, where nothing stands, they are the consoles.
 */
export function slotCommandLine(
  release: string,
  { commandLine, system }: Pick<InstallFacts, "commandLine" | "system">,
  consoles: readonly string[],
): string {
  const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
  const brought = new Set(words(system?.commandLine ?? ""));
  const own = commandLine === undefined ? consoles : words(commandLine).filter((word) => !brought.has(word));
  const wanted = words(release);
  return [...wanted, ...own.filter((word) => !wanted.includes(word))].join(" ");
}
