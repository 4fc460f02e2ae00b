import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseSlot } from "../../../agent/boot/slot-choice.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { decodeGrubenv, grubenvBytes } from "../../../format/grubenv.ts";
import { MiB } from "../../../format/sizes.ts";
import { makeBootDisk, readBootFiles, type Files } from "./boot-disk.ts";
import { expectedGrubenv, sampleDecisions, uncountedDecisions, type Decision } from "./decisions.ts";

// Every seventh combination; DUALROOT_GRUB_EVERY=1 asks about all of them, some 800, in a minute; the long tests do.
const usual = process.env["DUALROOT_LONG"] === "1" ? 1 : 7;
const every = Number(process.env["DUALROOT_GRUB_EVERY"] ?? usual);
const decisions = sampleDecisions(every);
const uncounted = uncountedDecisions(every * 3);

/** root_a holds the mark of a proven slot, root_b does not. */
const deviceOf = (decision: Decision, slot: "A" | "B"): string =>
  decision.slots.includes(slot) ? (decision.proven.includes(slot) ? "VA-root_a" : "VA-root_b") : "";

/**
 * The real menu up to its entries, in real GRUB; only what would boot or restart says so instead. It runs for one grubenv
 * after another, as if the machine were started anew for each.
 */
function questions(menu: string, asked: readonly Decision[]): string {
  const functions = menu.slice(0, menu.indexOf("# ---- Menu ----"));
  const each = asked.map(
    (decision, index) => `
set slot_a="${deviceOf(decision, "A")}"
set slot_b="${deviceOf(decision, "B")}"
set grubenv="$prefix/cases/${index}"
set decided=
read_state
choose_slot
if [ -n "$chosen" ]; then start_slot $chosen; else start_rescue none; fi
echo "ANSWER ${index} $decided."`,
  );
  return `${functions}
function boot_slot { if [ -z "$decided" ]; then set decided="$slot"; fi; }
function start_rescue { if [ -z "$decided" ]; then set decided=rescue; fi; }
function restart { set restarted=1; }
serial --unit=0 --speed=115200
terminal_output serial
${each.join("\n")}
echo "ANSWERED ALL"
halt
`;
}

interface Asked {
  disk: string;
  /** GRUB's answers, by the question's number. */
  answers: Map<number, string>;
}

/** Asks GRUB all of it, on one disk. */
async function askGrub(asked: readonly Decision[], readOnly: boolean): Promise<Asked> {
  const cases: Files = {};
  asked.forEach(({ grubenv }, index) => {
    if (grubenv) cases[`/grub/cases/${index}`] = grubenv;
  });
  const disk = await makeBootDisk({
    boot: { "/grub/cases/keep": "", ...cases },
    slotA: { "/boot/slot.proven": "then" },
    slotB: { "/boot/nothing": "" },
    menu: (menu) => questions(menu, asked),
  });
  const machine = await launch(
    {
      name: "grub-decides",
      machine: "q35",
      memoryBytes: 128 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly, serial: "boot", disposable: true }],
      nics: [],
      display: "none",
      onReset: "stop",
    },
    { accelerator: "tcg", consoleLog: join(dirname(disk), "console.log") },
  );
  try {
    await machine.console.waitFor(/ANSWERED ALL/, 240);
    const found = machine.console.lines.flatMap(({ text }) => {
      const match = /ANSWER (\d+) (\w+)\./.exec(text);
      return match ? [[Number(match[1]), match[2]!] as const] : [];
    });
    return { disk, answers: new Map(found) };
  } finally {
    await machine.kill();
  }
}

describe("GRUB decides as the model does", () => {
  let asked: Asked;
  let casesAfter: string;

  beforeAll(async () => {
    asked = await askGrub(decisions, false);
    casesAfter = await readBootFiles(asked.disk, "/grub/cases");
  });
  afterAll(() => rm(dirname(asked.disk), { recursive: true, force: true }));

  test("the sample covers every outcome", () => {
    expect(asked.answers.size).toBe(decisions.length);
    expect(new Set(asked.answers.values())).toEqual(new Set(["A", "B", "rescue"]));
    const bootedUncounted = decisions.filter(
      ({ situation }) => !situation.writable && chooseSlot(situation).boot !== "rescue",
    );
    expect(bootedUncounted.length).toBeGreaterThan(5);
  });

  test.each(decisions.map((decision, index) => ({ ...decision, index })))(
    "$title",
    ({ index, ...decision }) => {
      const wanted = chooseSlot(decision.situation);
      expect(asked.answers.get(index)).toBe(wanted.boot);

      const path = join(casesAfter, String(index));
      const after = existsSync(path) ? readFileSync(path) : undefined;
      const expected = expectedGrubenv(decision, wanted.changes);
      const found =
        "state" in expected
          ? { state: after && decodeGrubenv(after.subarray(0, grubenvBytes)) }
          : { bytes: after };
      expect(found).toEqual(expected);
    },
  );
});

describe("a disk that takes no writes: GRUB boots nothing that was never healthy", () => {
  let asked: Asked;

  beforeAll(async () => {
    asked = await askGrub(uncounted, true);
  });
  afterAll(() => rm(dirname(asked.disk), { recursive: true, force: true }));

  test("some slots are booted all the same, some not", () => {
    expect(asked.answers.size).toBe(uncounted.length);
    expect(new Set(asked.answers.values())).toEqual(new Set(["A", "B", "rescue"]));
  });

  test.each(uncounted.map(({ title, situation }, index) => ({ title, situation, index })))(
    "$title",
    ({ situation, index }) => {
      expect(asked.answers.get(index)).toBe(chooseSlot(situation).boot);
    },
  );
});
