import { exitCodes } from "../../format/errors.ts";
import { comparePackages } from "../package/compare-packages.ts";
import { diffLines } from "../render/diff.ts";
import { printResult } from "../render/print.ts";

/** Exit code 0 for equal packages, 4 for different ones. */
export async function diffCommand(a: string, b: string, options: { json?: true }): Promise<void> {
  const differences = await comparePackages(a, b);
  printResult(options.json, { equal: differences.length === 0, differences }, () => diffLines(differences));
  if (differences.length > 0) process.exitCode = exitCodes.refused;
}
