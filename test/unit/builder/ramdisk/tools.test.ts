import { expect, test } from "vitest";
import { findTools, toolPackages } from "../../../../builder/ramdisk/tools.ts";
import { UserError } from "../../../../format/errors.ts";

test("tools that are not on the build host are refused all at once, with the package to install", () => {
  let refusal: unknown;
  try {
    findTools(["/nonexistent"]);
  } catch (error) {
    refusal = error;
  }
  if (!(refusal instanceof UserError)) throw new Error("nothing was refused");
  const hints = new Set(refusal.problems.map((problem) => problem.hint));
  expect(hints).toEqual(
    new Set([...toolPackages.map((from) => `apt-get install ${from.package}`), "apt-get install busybox"]),
  );
});

test("no name is given twice, and every link points to a tool of its package", () => {
  const { tools, links } = findTools();
  const names = [...tools, ...links].map((tool) => tool.name);
  expect(names).toEqual([...new Set(names)]);
  for (const { tools, links } of toolPackages)
    expect(tools).toEqual(expect.arrayContaining(Object.values(links ?? {})));
});
