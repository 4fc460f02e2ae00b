import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const hook = fileURLToPath(new URL("../../../../builder/rauc/hook.sh", import.meta.url));
const bundle = mkdtempSync(join(tmpdir(), "dualroot-hook-"));
copyFileSync(hook, join(bundle, "rauc-hook"));
afterAll(() => rmSync(bundle, { recursive: true, force: true }));

/** Runs the hook as RAUC does, beside an upgrade.sh that only says how it was called; the real one is called in test/conversion/rauc.long.test.ts. */
function run(word: string, environment: Record<string, string>, upgrade: string) {
  writeFileSync(join(bundle, "upgrade.sh"), upgrade);
  const { status, stdout, stderr } = spawnSync(join(bundle, "rauc-hook"), [word], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...environment },
  });
  return { status, stdout, lastError: stderr.trimEnd().split("\n").at(-1) };
}

const same = { RAUC_SYSTEM_COMPATIBLE: "demo", RAUC_MF_COMPATIBLE: "demo" };
const says = 'echo "called: $*"\n';
const refuses = `printf '%s\\n' 'ok   Product' 'upgrade.sh: The counter 3 is below 9.' '  hint: Use a newer one.' '  code: counter-too-low' 'upgrade.sh: RAUC is old.' >&2; exit 4\n`;

describe("the hook of a bundle", () => {
  test("passes shellcheck", () => {
    expect(execFileSync("shellcheck", ["--shell=sh", hook], { encoding: "utf8" })).toBe("");
  });

  test("asks our installer before anything is marked", () => {
    expect(run("install-check", same, `[ "$*" = "adopt --check" ]\n`)).toMatchObject({
      status: 0,
      lastError: "",
    });
  });

  test("refuses with RAUC's code for it, every sentence on the last line", () => {
    const { status, stdout, lastError } = run("install-check", same, refuses);
    expect({ status, lastError }).toEqual({
      status: 10,
      lastError: "The counter 3 is below 9. RAUC is old.",
    });
    expect(stdout).toContain("code: counter-too-low");
  });

  test("refuses another product's bundle itself", () => {
    const { status, lastError } = run("install-check", { ...same, RAUC_MF_COMPATIBLE: "other" }, says);
    expect({ status, lastError }).toEqual({
      status: 10,
      lastError: "the bundle is for other, this gateway is demo",
    });
  });

  test("lets our installer write the slot that RAUC has chosen, and ends as it ends", () => {
    const slot = { RAUC_SLOT_BOOTNAME: "B" };
    expect(run("slot-install", slot, says)).toMatchObject({
      status: 0,
      stdout: "called: adopt --slot B --installed-by rauc\n",
    });
    expect(run("slot-install", slot, "exit 5\n")).toMatchObject({ status: 5 });
  });

  test("does nothing when it is asked for something else", () => {
    expect(run("slot-post-install", same, says)).toMatchObject({ status: 1, stdout: "" });
  });
});
