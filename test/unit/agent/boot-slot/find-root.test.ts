import { expect, test } from "vitest";
import { findRoot } from "../../../../agent/boot-slot/find-root.ts";
import { parseRootWords } from "../../../../agent/boot-slot/root-words.ts";
import { recordingRun } from "../recording-run.ts";

const groups = (line: string): string | number => {
  if (line.startsWith("lvm pvs")) return "VA|uuid|/dev/vda3\n";
  if (line.startsWith("lvm lvs") && !line.includes("--segments"))
    return "uuid|root_a|100|\nuuid|root_b|100|\n";
  return line.startsWith("blkid") ? 2 : line.startsWith("lvm lvchange") ? 5 : "";
};

test("a volume that never comes: it is said at once what is waited for, and in the end what is there", async () => {
  const { run, commands } = recordingRun(groups);
  const told: string[] = [];
  const words = { ...parseRootWords("root=/dev/mapper/VA-root_c"), waitSeconds: 0.3 };
  await expect(findRoot({ run, tell: (...lines) => void told.push(...lines) }, words)).rejects.toMatchObject({
    problems: [{ code: "slot-not-found", message: expect.stringContaining("VA/root_a, VA/root_b") }],
  });
  expect(told).toEqual(["dualroot: waiting for /dev/mapper/VA-root_c, 0.3 seconds at most."]);
  expect(commands).toContain("lvm lvchange --activate y VA/root_c");
});

test("a tag is looked for volume by volume, and what is not it is closed again", async () => {
  let active = "";
  const { run, commands } = recordingRun((line) => {
    const change = /^lvm lvchange --activate ([yn]) (\S+)$/.exec(line);
    if (change) active = change[1] === "y" ? change[2]! : "";
    if (line.startsWith("blkid") && line.endsWith("UUID=x") && active === "VA/root_b")
      return "/dev/mapper/VA-root_b\n";
    return change ? "" : groups(line);
  });
  const found = await findRoot({ run, tell: () => {} }, parseRootWords("root=UUID=x"));
  expect(found).toBe("/dev/mapper/VA-root_b");
  expect(commands.filter((line) => line.includes("lvchange"))).toEqual([
    "lvm lvchange --activate y VA/root_a",
    "lvm lvchange --activate n VA/root_a",
    "lvm lvchange --activate y VA/root_b",
  ]);
});
