import { describe, expect, test } from "vitest";
import { createConsoleProgress } from "../../../../agent/render/console-progress.ts";
import { describeError } from "../../../../agent/render/describe-error.ts";
import { formatDuration } from "../../../../agent/render/format-duration.ts";
import { InternalError, StepError, userError } from "../../../../format/errors.ts";

function consoleAt() {
  const lines: string[] = [];
  const clock = { seconds: 0 };
  const report = createConsoleProgress({
    writeLine: (line) => lines.push(line),
    overallStep: "conversion",
    now: () => clock.seconds,
  });
  return { lines, clock, report };
}

describe("progress on a console", () => {
  test("shows number, title, percent and time left, at most every five seconds", () => {
    const { lines, clock, report } = consoleAt();
    report({ kind: "started", step: "extract-rootfs", title: "Unpack the new system", number: 9, of: 16 });
    for (clock.seconds = 1; clock.seconds <= 12; clock.seconds += 1) {
      report({
        kind: "progress",
        step: "extract-rootfs",
        done: clock.seconds * 5,
        total: 100,
        unit: "bytes",
      });
      report({ kind: "progress", step: "conversion", done: clock.seconds * 20, total: 1000 });
    }
    report({ kind: "finished", step: "extract-rootfs", title: "Unpack the new system", seconds: 13 });
    expect(lines).toEqual([
      "[ 9/16] Unpack the new system",
      "[ 9/16] Unpack the new system                  25 %",
      "[ 9/16] Unpack the new system                  50 %   about 46 s left",
      "[ 9/16] Unpack the new system                 done in 13 s   about 41 s left",
    ]);
  });

  test("says nothing of short steps' ends, and everything of failures", () => {
    const { lines, report } = consoleAt();
    report({ kind: "started", step: "write-fstab", title: "Write fstab", number: 1, of: 2 });
    report({ kind: "finished", step: "write-fstab", title: "Write fstab", seconds: 0.2 });
    report({ kind: "failed", step: "x", title: "X", message: "the disk is gone" });
    report({ kind: "note", level: "warn", message: "hm" });
    report({ kind: "detail", message: "$ secret stuff" });
    expect(lines.map((line) => line.replace(/ +/g, " "))).toEqual([
      "[1/2] Write fstab",
      "[1/2] Write fstab FAILED: the disk is gone",
      "Note: hm",
    ]);
  });

  test("never shows more than 100 percent", () => {
    const { lines, clock, report } = consoleAt();
    report({ kind: "started", step: "x", title: "X" });
    clock.seconds = 9;
    report({ kind: "progress", step: "x", done: 300, total: 100 });
    expect(lines[1]).toMatch(/100 %/);
  });
});

test.each([
  [0, "0 s"],
  [59.4, "59 s"],
  [80, "1 min 20 s"],
  [3600, "1 h 0 min"],
  [-5, "0 s"],
])("%s seconds read %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("an error is told with its values, what to do, and the tool's last words", () => {
  const problem = {
    code: "memory-too-small",
    message: "Needs 2, has 1.",
    hint: "Add memory.",
    where: "here",
  };
  expect(describeError(userError(problem))).toEqual([
    "Needs 2, has 1. (here)",
    "  -> Add memory. [memory-too-small]",
  ]);
  expect(describeError(new StepError("sgdisk failed", { stderrTail: "a\nb\n", hint: "See." }))).toEqual([
    "sgdisk failed",
    "  | a",
    "  | b",
    "  -> See.",
  ]);
  expect(describeError(new InternalError("x"))[0]).toBe("Our mistake: x");
});
