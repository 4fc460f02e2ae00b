import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseArguments } from "../../../../agent/stage1/arguments.ts";
import { placesBelow } from "../../../../agent/stage1/places.ts";
import { rollback } from "../../../../agent/stage1/rollback.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";

/** A gateway whose dualroot-rollback gives this answer; each call is noted. */
function gateway(answer: object, code: number): { root: string; calls: () => string } {
  const root = mkdtempSync(join(tmpdir(), "rollback-"));
  mkdirSync(join(root, "usr/sbin"), { recursive: true });
  const program = join(root, "usr/sbin/dualroot-rollback");
  writeFileSync(join(root, "answer"), JSON.stringify(answer));
  writeFileSync(program, `#!/bin/sh\necho "$*" >>"${root}/calls"\ncat "${root}/answer"\nexit ${code}\n`);
  chmodSync(program, 0o755);
  return { root, calls: () => readFileSync(join(root, "calls"), "utf8") };
}

async function rollBack(root: string, words: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const say = (more: readonly string[]): void => void lines.push(...more);
  const code = await rollback({
    args: parseArguments(["rollback", ...words]),
    places: placesBelow(root),
    run: createRun(silent),
    report: silent,
    say,
    answer: (_, more) => say(more),
  });
  return { code, lines };
}

const ready = { ok: true, outcome: "ready", from: "A", to: "B", system: "CentOS Linux 7 before demo 1" };

test("asks first, then does it, and says what the other slot is", async () => {
  const { root, calls } = gateway(ready, 0);
  const { code, lines } = await rollBack(root, ["--yes", "--no-reboot"]);
  expect(code).toBe(0);
  expect(calls()).toBe("--json --check\n--json --yes --no-reboot\n");
  expect(lines.join("\n")).toContain("Slot B: CentOS Linux 7 before demo 1");
  expect(lines.join("\n")).toContain("The next restart, whenever it comes, boots it.");
});

test("the program's refusal is ours, with its code", async () => {
  const problem = { code: "no-slot-to-go-to", message: "There is no system in slot B.", hint: "None." };
  const { root, calls } = gateway({ ok: false, exitCode: 4, problems: [problem] }, 4);
  await expect(rollBack(root, ["--yes"])).rejects.toMatchObject({ exit: "refused", problems: [problem] });
  expect(calls()).toBe("--json --check\n");
});

test("refuses on a gateway that was not converted", async () => {
  const root = mkdtempSync(join(tmpdir(), "rollback-"));
  await expect(rollBack(root, ["--yes"])).rejects.toMatchObject({ problems: [{ code: "not-dual-system" }] });
});
