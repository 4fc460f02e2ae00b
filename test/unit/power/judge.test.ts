import { expect, test } from "vitest";
import { finalLine, judge, type Outcome } from "../../power/run/judge.ts";

const reference = {
  old: "0011223344556677",
  converted: "NEW-SYSTEM slot=A committed=yes report=converted identity=1 files=2 slot_b=3",
};

test.each<[string, Outcome]>([
  ["\u001b[H\u001b[J\u001b[1;1HOLD-SYSTEM 0011223344556677\r\n", "old"],
  ["OLD-SYSTEM 0011223344556678\r\n", "different"],
  [`${reference.converted}\r\n`, "converted"],
  [`${reference.converted.replace("files=2", "files=4")}\r\n`, "different"],
  [`${reference.converted.replace("committed=yes", "committed=no")}\r\n`, "different"],
  ["dualroot: rescue system.\r\n", "rescue"],
  ["No bootable device.\r\n", "dead"],
  ["grub rescue> ", "dead"],
])("%j is judged as %s", (line, outcome) => {
  const found = finalLine.exec(`Booting from Hard Disk...\r\n${line}`)?.[0];
  expect(judge(found, reference).outcome).toBe(outcome);
});

test("what comes up on the way ends no wait", () => {
  const way =
    "OLD-SYSTEM\r\nNEW-SYSTEM boots\r\nRescue ramdisk\r\ndualroot: booting slot A, attempt 1 of 3\r\n";
  expect(finalLine.test(way)).toBe(false);
  expect(judge(undefined, reference).outcome).toBe("late");
});
