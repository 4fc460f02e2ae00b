import type { CheckResult } from "../../checks/run-checks.ts";

const verdictWords = { pass: "ok", warn: "WARN", fail: "FAIL" } as const;

/** The checks as a table, hints below what needs one, and a sentence that counts. */
export function renderCheckTable(
  checks: readonly CheckResult[],
  what: "converted" | "upgraded" = "converted",
): string[] {
  const titleColumns = Math.max(0, ...checks.map(({ title }) => title.length));
  const lines: string[] = [];
  for (const { verdict, title, detail, hint, code } of checks) {
    lines.push(`  ${verdictWords[verdict].padEnd(4)}  ${title.padEnd(titleColumns)}  ${detail}`.trimEnd());
    if (verdict === "pass") continue;
    if (hint) lines.push(`        ${" ".repeat(titleColumns)}hint: ${hint}`);
    lines.push(`        ${" ".repeat(titleColumns)}code: ${code}`);
  }
  return [...lines, "", summarize(checks, what)];
}

function summarize(checks: readonly CheckResult[], what: string): string {
  const count = (verdict: CheckResult["verdict"]): number =>
    checks.filter((check) => check.verdict === verdict).length;
  const failed = count("fail");
  const warned = count("warn");
  const warnings = warned === 0 ? "" : ` ${warned} ${warned === 1 ? "warning" : "warnings"}.`;
  if (failed === 0) return `This gateway can be ${what}.${warnings}`;
  return `This gateway cannot be ${what}: ${failed} of ${checks.length} checks failed.${warnings} Nothing was changed.`;
}
