import { expect, test } from "vitest";
import { splitEpochs } from "../../power/log/epochs.ts";
import { findUpgradeSwitches, type Mark } from "../../power/log/phases.ts";
import type { LogEntry } from "../../power/log/write-log.ts";
import { chooseUpgradeSample } from "../../power/points/choose-upgrade-sample.ts";
import { listPoints } from "../../power/points/points.ts";
import { judge } from "../../power/run/judge.ts";

const entryBytes = 1000;
const grubenvSector = 5000;
/** `0` a write of 8 sectors elsewhere, `G` one of grubenv, `|` a flush. */
const picture = "G|0|0|0G|00|00|G|00|G|00|G|0|";
const log: LogEntry[] = picture.split("").map((letter, index) => ({
  kind: letter === "|" ? "flush" : "write",
  sector: letter === "G" ? grubenvSector : 9000 + index * 8,
  sectors: letter === "|" ? 0 : letter === "G" ? 2 : 8,
  isForced: false,
  dataOffset: (index + 1) * entryBytes,
}));
const mark = (name: Mark["name"], entry: number): Mark => ({
  name,
  logBytes: entry * entryBytes + 1,
  atSeconds: 0,
});
const marks = [mark("upgrade", 2), mark("next-slot", 18), mark("committed", 24)];
const switches = findUpgradeSwitches(log, marks, grubenvSector);

test("the first write of grubenv begins the writing, the second is the activation; GRUB's own before the upgrade is none", () => {
  expect(switches).toEqual({
    deciding: [7, 15, 20, 25],
    starts: { before: 2, writing: 7, activated: 15, "first boot": 18, committed: 24 },
  });
});

test("a sample has what is around the activation, and one point each of writing and first boot", () => {
  const points = listPoints({ log, epochs: splitEpochs(log), switches, seed: "seed" });
  expect(points.every(({ at }) => at >= 2)).toBe(true);
  const sample = chooseUpgradeSample(points, switches, "seed");
  expect(sample.map(({ phase }) => phase)).toEqual(["writing", "writing", "activated", "first boot"]);
  expect(sample[2]!.kept).toContain(15);
  expect(sample[1]!.at).toBeLessThan(15);
});

test("what lies in the slot that is written says nothing about the one that runs", () => {
  const reference = {
    old: "NEW-SYSTEM slot=A committed=yes report=converted identity=1 files=2",
    converted: "NEW-SYSTEM slot=B committed=yes report=converted identity=1 files=5 slot_a=2",
  };
  const outcome = (line: string): string => judge(line, reference).outcome;
  expect(outcome(`${reference.old} slot_b=77\r\n`)).toBe("old");
  expect(outcome(`${reference.old} slot_b=absent\r\n`)).toBe("old");
  expect(outcome(`${reference.old.replace("files=2", "files=3")} slot_b=77\r\n`)).toBe("different");
  expect(outcome(`${reference.converted}\r\n`)).toBe("converted");
  expect(outcome(`${reference.converted.replace("slot_a=2", "slot_a=3")}\r\n`)).toBe("different");
});
