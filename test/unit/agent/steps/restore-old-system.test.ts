import { expect, test } from "vitest";
import { restoreOldSystem } from "../../../../agent/steps/restore-old-system.ts";
import type { StepOf } from "../../../../agent/plan/step.ts";
import { StepError } from "../../../../format/errors.ts";
import type { Event } from "../../../../format/events.ts";
import { stepContext } from "./step-context.ts";

const step: StepOf<"restore-old-system"> = {
  kind: "restore-old-system",
  title: "",
  disk: "/dev/none",
  device: "/dev/mapper/VA-root_b",
  type: "ext4",
  volumeGroup: "VA",
  target: "/nowhere",
  osName: "Old",
  kernelRelease: "1",
  commandLine: "",
  merged: [],
  shared: [],
};

test("nothing to do where nothing was captured", async () => {
  const context = stepContext({});
  await restoreOldSystem(step, context);
  expect(context.notes).toEqual([]);
});

test("a failure costs slot B and is told; the conversion goes on", async () => {
  const events: Event[] = [];
  const context = stepContext({
    oldSystem: { name: "old", path: "/dev/none", ranges: [], sizeBytes: 1, sha256: "" },
    isOldSystemRestored: false,
    report: (event) => events.push(event),
    run: async (command) => {
      if (command === "mount") throw new StepError("mount failed with exit code 32");
      return { exitCode: 0, stdout: "", stderr: "" };
    },
  });
  await restoreOldSystem(step, context);
  expect(context.isOldSystemRestored).toBe(false);
  expect(context.notes.join()).toMatch(/no way back to it: mount failed with exit code 32/);
  expect(events).toContainEqual(expect.objectContaining({ kind: "note", level: "warn" }));
});
