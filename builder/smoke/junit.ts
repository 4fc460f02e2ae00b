import type { SmokeReport } from "./report.ts";

/** JUnit XML as CI systems read it: one case per stage, layout item and identity item. */
export function renderJunit(report: SmokeReport): string {
  const cases = [
    ...report.stages.map(({ name, seconds, outcome }) =>
      testCase("stage", name, outcome === "finished" ? undefined : report.problems.join("\n"), seconds),
    ),
    ...report.layout.map(({ item, value, holds }) =>
      testCase("layout", item, holds ? undefined : `found: ${value}`),
    ),
    ...report.identity.map(({ item, old, new: current, equal, accepted }) =>
      testCase("identity", item, equal || accepted !== undefined ? undefined : `was ${old}, is ${current}`),
    ),
    testCase(
      "outcome",
      "converted",
      report.outcome === "converted" ? undefined : `${report.outcome}: ${report.problems.join("\n")}`,
    ),
  ];
  const failures = cases.filter((text) => text.includes("<failure")).length;
  const seconds = report.stages.reduce((sum, stage) => sum + stage.seconds, 0).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="dualroot smoke ${escape(report.release)}" tests="${cases.length}" failures="${failures}" time="${seconds}">`,
    ...cases,
    "</testsuite>",
    "",
  ].join("\n");
}

function testCase(group: string, name: string, failure: string | undefined, seconds = 0): string {
  const head = `  <testcase classname="smoke.${group}" name="${escape(name)}" time="${seconds.toFixed(3)}"`;
  return failure === undefined ? `${head}/>` : `${head}><failure message="${escape(failure)}"/></testcase>`;
}

/** XML 1.0 has no way to write most control characters at all. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
