import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { historyLine, recordEvent } from "../../../../agent/slot/history.ts";
import { decodeSlotRecord, encodeSlotRecord, recordOf } from "../../../../agent/slot/slot-record.ts";
import { describeKeptSystem, describeRelease, encodeSystemFile } from "../../../../agent/slot/system-file.ts";
import { renderVolumesFile } from "../../../../agent/slot/volumes-file.ts";
import { readSlotRecord, writeSlotRecord } from "../../../../agent/slot/write-slot-record.ts";
import { exampleManifest } from "../example.ts";

const folder = (): string => mkdtempSync(join(tmpdir(), "slot-files-"));

test("a record is read as it was written, one key a line for the gate's sed", async () => {
  const state = folder();
  const record = recordOf(describeRelease(exampleManifest(), "B", "VA"), "upgrade", "2026-11-20T13:05:07Z");
  await writeSlotRecord(state, record);
  expect(await readSlotRecord(state, "B")).toEqual(record);
  expect(await readSlotRecord(state, "A")).toBeUndefined();
  expect(encodeSlotRecord(record).split("\n")).toContain('  "installedBy": "upgrade",');
});

test.each(["", "{", "null", '{"format":2}', "\u0000"])("%j is no record", (text) => {
  expect(decodeSlotRecord(text)).toBeUndefined();
});

test("the kept old system says so, and has no counter", () => {
  const system = describeKeptSystem(exampleManifest(), "CentOS Linux 7", "VA");
  expect(recordOf(system, "conversion")).toMatchObject({ slot: "B", oldSystem: true, counter: 0 });
  expect(encodeSystemFile(system)).toContain('"version": "before gateway-os 2.0.0"');
});

test("volumes are one a line, those that the gateway has", () => {
  const { layout } = exampleManifest();
  expect(renderVolumesFile(layout, ["root_a", "root_b", "data"])).toBe(
    [
      "# NAME FILESYSTEM MOUNTPOINT WEIGHT SLOT; written by dualroot",
      "root_a ext4 / 1 A",
      "root_b ext4 / 1 B",
      "data xfs /data 0 -",
      "",
    ].join("\n"),
  );
});

const event = { event: "activated", slot: "A", version: "1", message: 'a "quoted"\nline' } as const;

test("a line of history is one line, in the shell's order of keys", () => {
  expect(historyLine(event, "2026-11-20T13:05:07Z")).toBe(
    '{"time":"2026-11-20T13:05:07Z","event":"activated","slot":"A","version":"1","message":"a \\"quoted\\" line"}\n',
  );
});

test("the history is kept below its bound, the latest lines last", async () => {
  const state = folder();
  const path = join(state, "history.jsonl");
  const old = Array.from(
    { length: 4000 },
    (_, index) => `{"time":"${index}","filler":"${"x".repeat(60)}"}\n`,
  );
  writeFileSync(path, old.join(""));
  await recordEvent(state, event);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(statSync(path).size).toBeLessThan(256 * 1024);
  expect(lines).toHaveLength(501);
  expect(lines.at(-2)).toBe(old.at(-1)!.trimEnd());
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ event: "activated" });
});

test("a history that cannot be written stops nothing", async () => {
  const file = join(folder(), "file");
  writeFileSync(file, "");
  await expect(recordEvent(join(file, "state"), event)).resolves.toBeUndefined();
});
