import { expect, test } from "vitest";
import { leftOut } from "../../../../agent/system/safeguards.ts";

function ask(names: string[], role: "release" | "dev"): { left: string[]; told: string } {
  const told: string[] = [];
  const left = leftOut(names, role, (...lines) => told.push(...lines));
  return { left: [...left], told: told.join("\n") };
}

test("a development package may leave safeguards out, loudly", () => {
  const { left, told } = ask(["arm", "flush"], "dev");
  expect(left.sort()).toEqual(["arm", "flush"]);
  expect(told).toMatch(/WARNING: .*LOST: flush, arm/);
});

test("a released package leaves nothing out, whatever the command line says", () => {
  const { left, told } = ask(["arm", "read-back"], "release");
  expect(left).toEqual([]);
  expect(told).toMatch(/is ignored/);
});

test("without such words nothing is said, and unknown ones are named", () => {
  expect(ask([], "dev")).toEqual({ left: [], told: "" });
  expect(ask(["everything"], "dev")).toEqual({
    left: [],
    told: "dualroot.without: there is no safeguard everything.",
  });
});
