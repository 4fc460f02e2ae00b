import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createDraft } from "../../../../agent/convert/draft-report.ts";
import { watchMemory } from "../../../../agent/convert/memory-peak.ts";
import { StepError, userError } from "../../../../format/errors.ts";
import { conversionReportSchema } from "../../../../format/report.ts";

const memory = { read: () => ({ peakMiB: 300, totalMiB: 1000, takenBy: { Shmem: 200 } }), stop: () => {} };

test("the report has what happened so far, and is one by the format's own schema", () => {
  const draft = createDraft(memory);
  draft.listen({ kind: "started", step: "a", title: "A" });
  draft.listen({ kind: "finished", step: "a", title: "A", seconds: 2.5 });
  draft.listen({ kind: "failed", step: "b", title: "B", message: "no" });
  draft.notes.push("uid moved");
  const report = draft.report("failed", new StepError("sgdisk failed"));
  expect(conversionReportSchema.parse(report)).toEqual(report);
  expect(report).toMatchObject({
    outcome: "failed",
    release: "unknown",
    diskChanged: false,
    notes: ["uid moved"],
    ramdisk: { peakMiB: 300, totalMiB: 1000 },
    problems: [{ code: "stage2-failed", message: "sgdisk failed" }],
  });
  expect(report.steps.map(({ step, outcome }) => [step, outcome])).toEqual([
    ["a", "finished"],
    ["b", "failed"],
  ]);
});

test("a refusal keeps its own codes and hints", () => {
  const problem = { code: "memory-too-small", message: "Needs 2, has 1.", hint: "Add." };
  expect(createDraft(memory).report("refused", userError(problem)).problems).toEqual([problem]);
});

test("a report once given does not change with what comes after", () => {
  const draft = createDraft(memory);
  const report = draft.report("converted");
  draft.listen({ kind: "finished", step: "a", title: "A", seconds: 1 });
  draft.notes.push("later");
  expect(report).toMatchObject({ steps: [], notes: [], problems: [] });
});

test("the memory peak is kept when the memory is free again; page cache does not count", () => {
  let available = 800;
  const watch = watchMemory(
    () =>
      `MemTotal: ${1000 * 1024} kB\nMemAvailable: ${available * 1024} kB\nShmem: ${(1000 - available) * 1024} kB\n`,
  );
  expect(watch.read()).toEqual({ peakMiB: 200, totalMiB: 1000, takenBy: { Shmem: 200 } });
  available = 300;
  expect(watch.read()).toEqual({ peakMiB: 700, totalMiB: 1000, takenBy: { Shmem: 700 } });
  available = 900;
  expect(watch.read()).toEqual({ peakMiB: 700, totalMiB: 1000, takenBy: { Shmem: 700 } });
  watch.stop();
});

test("it also looks by itself, between two questions", async () => {
  let available = 800;
  const watch = watchMemory(() => `MemTotal: ${1000 * 1024} kB\nMemAvailable: ${available * 1024} kB\n`);
  available = 100;
  await sleep(700);
  available = 900;
  expect(watch.read().peakMiB).toBe(900);
  watch.stop();
});
