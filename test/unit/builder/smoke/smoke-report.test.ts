import { expect, test } from "vitest";
import { compareIdentity } from "../../../../builder/smoke/compare-identity.ts";
import { lastLineOfOldSystem } from "../../../../builder/smoke/downtime.ts";
import { renderJunit } from "../../../../builder/smoke/junit.ts";
import { parseItems } from "../../../../builder/smoke/parse-items.ts";
import type { SmokeReport } from "../../../../builder/smoke/report.ts";

test("only lines with a tab are items; kernel messages between them are not", () => {
  const items = parseItems(
    "hostname\tgw\n[ 12.3] usb 1-1: new device\nDNS servers\t10.0.2.3 10.0.2.53\nempty\t",
  );
  expect([...items]).toEqual([
    ["hostname", "gw"],
    ["DNS servers", "10.0.2.3 10.0.2.53"],
    ["empty", ""],
  ]);
});

test("a missing item differs; a moved uid is accepted only with a note that names the account", () => {
  const old = new Map([
    ["hostname", "gw"],
    ["uid of maria", "1001"],
    ["uid of mar", "1002"],
    ["machine-id", "1"],
  ]);
  const current = new Map([
    ["hostname", "gw"],
    ["uid of maria", "1003"],
    ["uid of mar", "1004"],
  ]);
  expect(compareIdentity(old, current, ["User maria got uid 1003: the new system has 1001 itself."])).toEqual(
    [
      { item: "hostname", old: "gw", new: "gw", equal: true },
      {
        item: "uid of maria",
        old: "1001",
        new: "1003",
        equal: false,
        accepted: expect.stringContaining("maria"),
      },
      { item: "uid of mar", old: "1002", new: "1004", equal: false },
      { item: "machine-id", old: "1", new: "(missing)", equal: false },
    ],
  );
});

const lines = [
  { text: "login: ", atMs: 10 },
  { text: "reboot: Restarting system", atMs: 100 },
  { text: "GNU GRUB", atMs: 130 },
  { text: "[ 0.0] Linux version 6.1", atMs: 140 },
];

test("downtime begins at the last line before the reset", () => {
  expect(lastLineOfOldSystem(lines, [{ event: "RESET", atMs: 120 }], 50)).toBe(100);
});

test("with kexec, which resets nothing, it begins at the last line before the next kernel", () => {
  const kexec = lines.filter(({ text }) => text !== "GNU GRUB");
  expect(
    lastLineOfOldSystem(
      kexec,
      [
        { event: "RESET", atMs: 5 },
        { event: "RESET", atMs: 500 },
      ],
      50,
    ),
  ).toBe(100);
});

test("without a new start there is no downtime", () => {
  expect(lastLineOfOldSystem(lines.slice(0, 2), [], 50)).toBeUndefined();
});

test("JUnit: failures are counted, and hostile text cannot break the XML", () => {
  const report: SmokeReport = {
    format: 1,
    outcome: "failed",
    release: 'a "b" <c> & \u0007',
    gateway: "g",
    accelerator: "tcg",
    bootMethod: "auto",
    problems: ["it\nfailed"],
    stages: [{ name: "boot-old", seconds: 1.5, outcome: "finished" }],
    identity: [
      { item: "hostname", old: "a", new: "b<", equal: false },
      { item: "uid of maria", old: "1", new: "2", equal: false, accepted: "moved" },
    ],
    layout: [{ item: "table", value: "gpt", holds: true }],
    screenshots: [],
  };
  const xml = renderJunit(report);
  expect(xml).toContain('tests="5" failures="2" time="1.500"');
  expect(xml).toContain('message="was a, is b&lt;"');
  expect(xml).toContain('message="failed: it&#10;failed"');
  expect(xml).toContain("a &quot;b&quot; &lt;c&gt; &amp; ?");
});
