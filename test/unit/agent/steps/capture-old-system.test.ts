import { expect, test } from "vitest";
import { captureOldSystem } from "../../../../agent/steps/capture-old-system.ts";
import type { StepContext } from "../../../../agent/steps/step-context.ts";
import { StepError } from "../../../../format/errors.ts";
import type { Event } from "../../../../format/events.ts";
import { stepContext } from "./step-context.ts";

const commands: string[] = [];

/** LVM answers, and then no filesystem of the old system is anywhere. */
async function capture(wanted: "auto" | "require"): Promise<{ context: StepContext; events: Event[] }> {
  commands.length = 0;
  const events: Event[] = [];
  const context = stepContext({
    report: (event) => events.push(event),
    run: async (command, args) => {
      commands.push([command, ...args].join(" "));
      if (command === "blkid") return { exitCode: 2, stdout: "", stderr: "" };
      if (command !== "lvm") throw new StepError(`${command} must not be needed`);
      return { exitCode: 0, stdout: "", stderr: "" };
    },
  });
  await captureOldSystem(
    {
      kind: "capture-old-system",
      title: "",
      disk: "/dev/none",
      wanted,
      filesystems: [{ uuid: "1111-2222", type: "xfs", mountPoint: "/" }],
      volumeGroups: ["centos"],
      capacityBytes: 1e9,
    },
    context,
  );
  return { context, events };
}

test("auto: a capture that fails costs slot B, is told, and leaves no volume active", async () => {
  const { context, events } = await capture("auto");
  expect(context.oldSystem).toBeUndefined();
  const note = /not kept as slot B.*the filesystem of its \/ \(1111-2222\) is not on \/dev\/none/;
  expect(context.notes.join()).toMatch(note);
  expect(events).toContainEqual(
    expect.objectContaining({ kind: "note", level: "warn", message: expect.stringMatching(note) as string }),
  );
  expect(commands.at(0)).toContain('read_only_volume_list=["centos"]');
  expect(commands.at(-1)).toBe("lvm vgchange --activate n centos");
});

test("require: it is a refusal, before anything was changed", async () => {
  await expect(capture("require")).rejects.toMatchObject({
    exit: "refused",
    problems: [{ code: "old-system-not-kept" }],
  });
  expect(commands.at(-1)).toBe("lvm vgchange --activate n centos");
});
