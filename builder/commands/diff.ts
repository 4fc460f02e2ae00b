import { exitCodes } from "../../format/errors.ts";
import { comparePackages } from "../package/compare-packages.ts";
import { printResult } from "../render/print.ts";

const shownDifferences = 50;
const longestValue = 80;

/** Exit code 0 for equal packages, 4 for different ones. */
export async function diffCommand(a: string, b: string, options: { json?: true }): Promise<void> {
  const differences = await comparePackages(a, b);
  printResult(options.json, { equal: differences.length === 0, differences }, () =>
    differences.length === 0
      ? ["the packages are equal"]
      : [
          ...differences
            .slice(0, shownDifferences)
            .map(
              ({ file, at, field, a: left, b: right }) =>
                `${file}  ${at}  ${field}: ${short(left)} | ${short(right)}`,
            ),
          ...(differences.length > shownDifferences
            ? [`... and ${differences.length - shownDifferences} more; --json shows all`]
            : []),
        ],
  );
  if (differences.length > 0) process.exitCode = exitCodes.refused;
}

function short(text: string): string {
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`;
}
