import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parseDigestIndex } from "../../../../agent/steps/parse-digest-index.ts";
import { mayDiffer } from "../../../../agent/steps/rewritten-paths.ts";
import { wipeSignatures } from "../../../../agent/steps/wipe-signatures.ts";
import { executePlan } from "../../../../agent/steps/execute-plan.ts";
import { overallStep } from "../../../../agent/steps/overall-progress.ts";
import type { ConversionPlan, Step } from "../../../../agent/plan/step.ts";
import type { Event } from "../../../../format/events.ts";
import { recordingRun } from "../recording-run.ts";
import { stepContext } from "./step-context.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-steps-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the digest index", () => {
  test("is read as the real sha256sum writes it, whatever the names", () => {
    const names = ["plain", "two words", "new\nline", "back\\slash", "Müller", "*star"];
    const content = join(folder, "index");
    mkdirSync(content);
    for (const name of names) writeFileSync(join(content, name), name);
    const text = execFileSync("sha256sum", ["--", ...names], { cwd: content, encoding: "utf8" });
    expect(parseDigestIndex(text).map(({ path }) => path)).toEqual(names);
  });
  test("a line that is none stops it", () => {
    expect(() => parseDigestIndex(`${"a".repeat(64)}  good\nbad\n`)).toThrow(/line 2/);
  });
});

test("only what steps rewrite may differ from the package", () => {
  const changed = ["/root/.ssh", "/etc/hostname"];
  for (const path of [
    "/etc/fstab",
    "/etc/dualroot/keys.json",
    "/etc/hostname",
    "/root/.ssh/authorized_keys",
  ]) {
    expect(mayDiffer(path, changed), path).toBe(true);
  }
  for (const path of [
    "/etc/fstab.d",
    "/etc/hostname.bak",
    "/boot/vmlinuz-6.1",
    "/boot/initrd.img-6.1.0-1",
    "/root/.sshx",
    "/usr/bin/sudo",
    "/x/etc/fstab",
  ]) {
    expect(mayDiffer(path, changed), path).toBe(false);
  }
});

test("wiping zeroes the ranges and nothing beside them", async () => {
  const disk = join(folder, "disk");
  writeFileSync(disk, Buffer.alloc(4 * 1024 * 1024, 0xff));
  const ranges = [
    { startBytes: 512, sizeBytes: 1024 * 1024 + 512 },
    { startBytes: 3 * 1024 * 1024, sizeBytes: 4096 },
  ];
  await wipeSignatures({ kind: "wipe-signatures", title: "", disk, ranges }, stepContext({}));
  const bytes = readFileSync(disk);
  expect(bytes.length).toBe(4 * 1024 * 1024);
  for (let offset = 0; offset < bytes.length; offset += 512) {
    const isWiped = ranges.some(
      (range) => offset >= range.startBytes && offset < range.startBytes + range.sizeBytes,
    );
    expect(bytes[offset], `at ${offset}`).toBe(isWiped ? 0 : 0xff);
  }
});

describe("executing a plan", () => {
  const target = join(folder, "target");
  mkdirSync(join(target, "etc"), { recursive: true });
  const fstab: Step = {
    kind: "write-fstab",
    title: "Write fstab",
    target,
    lines: ["/dev/mapper/VA-root_a / ext4 defaults 0 1"],
  };
  const missing: Step = { ...fstab, title: "Fail", target: join(folder, "nowhere") };
  const plan = (steps: Step[]): ConversionPlan => ({ steps }) as ConversionPlan;

  function execute(steps: Step[]) {
    const events: Event[] = [];
    const writes: number[] = [];
    const { run } = recordingRun();
    const noReturn = {
      diskChanged: (): void => {
        writes.push(events.length);
      },
      armed: (): void => {},
      notArmed: (): void => {},
    };
    const context = stepContext({
      run,
      plan: plan(steps),
      report: (event) => events.push(event),
      noReturn,
    });
    return { events, writes, done: executePlan(context) };
  }

  test("goes step by step, numbers them, and ends at the whole", async () => {
    const { events, writes, done } = execute([fstab, fstab]);
    await done;
    const shown = events.filter((event) => event.kind === "started" || event.kind === "finished");
    expect(shown.map((event) => [event.kind, event.kind === "started" ? event.number : 0])).toEqual([
      ["started", 1],
      ["finished", 0],
      ["started", 2],
      ["finished", 0],
    ]);
    const overall = events.filter((event) => event.kind === "progress" && event.step === overallStep);
    expect(overall.at(-1)).toMatchObject({ done: 1000, total: 1000 });
    expect(writes[0], "marked before anything").toBe(0);
    expect(readFileSync(join(target, "etc/fstab"), "utf8")).toMatch(
      /^# Written by dualroot.*\n\/dev\/mapper\/VA-root_a \/ ext4 defaults 0 1\n$/,
    );
  });

  test("stops at the first failure and does not start the rest", async () => {
    const { events, done } = execute([fstab, missing, fstab]);
    await expect(done).rejects.toThrow(/ENOENT/);
    expect(events.filter((event) => event.kind === "started")).toHaveLength(2);
    expect(events.filter((event) => event.kind === "failed")).toMatchObject([{ title: "Fail" }]);
  });
});
