/** Writes lines; a terminal that went away (a dropped ssh session) must never stop a conversion. */
export function writeLines(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
}

export function survivesLostTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
