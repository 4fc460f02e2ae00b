import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseSlot } from "../../../agent/boot/slot-choice.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { decodeGrubenv, grubenvBytes } from "../../../format/grubenv.ts";
import { MiB } from "../../../format/sizes.ts";
import { makeBootDisk, readBootFiles, type Files } from "./boot-disk.ts";
import { expectedGrubenv, sampleDecisions, type Decision } from "./decisions.ts";

// Every seventh combination; DUALROOT_GRUB_EVERY=1 asks about all 717 in half a minute.
const every = Number(process.env["DUALROOT_GRUB_EVERY"] ?? 7);
const decisions = sampleDecisions(every);

/** root_a holds the mark of a proven slot, root_b does not. */
const deviceOf = (decision: Decision, slot: "A" | "B"): string =>
  decision.slots.includes(slot) ? (decision.proven.includes(slot) ? "VA-root_a" : "VA-root_b") : "";

/**
 * The real menu up to its entries, in real GRUB; only what would boot or restart says so instead. It runs for one grubenv
 * after another, as if the machine were started anew for each.
 */
function questions(menu: string): string {
  const functions = menu.slice(0, menu.indexOf("# ---- Menu ----"));
  const asked = decisions.map(
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
${asked.join("\n")}
echo "ANSWERED ALL"
halt
`;
}

describe("GRUB decides as the model does", () => {
  let answers: Map<number, string>;
  let folder: string;
  let casesAfter: string;

  beforeAll(async () => {
    const cases: Files = {};
    decisions.forEach(({ grubenv }, index) => {
      if (grubenv) cases[`/grub/cases/${index}`] = grubenv;
    });
    const disk = await makeBootDisk({
      boot: { "/grub/cases/keep": "", ...cases },
      slotA: { "/boot/slot.proven": "then" },
      slotB: { "/boot/nothing": "" },
      menu: questions,
    });
    folder = dirname(disk);
    const machine = await launch(
      {
        name: "grub-decides",
        machine: "q35",
        memoryBytes: 128 * MiB,
        cpus: 1,
        processor: "plain",
        drives: [{ file: disk, format: "raw", readOnly: false, serial: "boot", disposable: true }],
        nics: [],
        display: "none",
        onReset: "stop",
      },
      { accelerator: "tcg", consoleLog: join(folder, "console.log") },
    );
    try {
      await machine.console.waitFor(/ANSWERED ALL/, 240);
      answers = new Map(
        machine.console.lines.flatMap(({ text }) => {
          const match = /ANSWER (\d+) (\w+)\./.exec(text);
          return match ? [[Number(match[1]), match[2]!] as const] : [];
        }),
      );
    } finally {
      await machine.kill();
    }
    casesAfter = await readBootFiles(disk, "/grub/cases");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("the sample covers every outcome", () => {
    expect(answers.size).toBe(decisions.length);
    expect(new Set(answers.values())).toEqual(new Set(["A", "B", "rescue"]));
    const uncounted = decisions.filter(
      ({ situation }) => !situation.writable && chooseSlot(situation).boot !== "rescue",
    );
    expect(uncounted.length).toBeGreaterThan(5);
  });

  test.each(decisions.map((decision, index) => ({ ...decision, index })))(
    "$title",
    ({ index, ...decision }) => {
      const wanted = chooseSlot(decision.situation);
      expect(answers.get(index)).toBe(wanted.boot);

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
