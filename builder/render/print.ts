/** The result of a command, on standard output: one JSON document, or lines for people. */
export function printResult(
  json: boolean | undefined,
  document: unknown,
  lines: () => readonly string[],
): void {
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${lines().join("\n")}\n`);
}
