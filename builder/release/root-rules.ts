import type { Release } from "./release.ts";
import type { RuleProblem } from "./rule-problem.ts";

/** The root volumes are the slots, and together make one system or two. */
export function rootRules({ layout }: Release): RuleProblem[] {
  const problems: RuleProblem[] = [];
  const path: PropertyKey[] = ["layout", "volumes"];
  for (const [index, volume] of layout.volumes.entries()) {
    if ((volume.mountPoint === "/") !== (volume.slot !== undefined)) {
      problems.push({
        code: "slot-without-root",
        message: volume.slot
          ? `volume "${volume.name}" has slot ${volume.slot} but is mounted at ${volume.mountPoint}`
          : `volume "${volume.name}" is mounted at / but has no slot`,
        hint: "Root volumes, and only they, have `slot: A` or `slot: B` and `mountPoint: /`.",
        path: [...path, index],
      });
    }
  }
  const slots = layout.volumes.flatMap((volume) => volume.slot ?? []);
  if (!slots.includes("A"))
    problems.push({
      code: "slot-a-missing",
      message: "no volume has slot A",
      hint: "One root volume needs `slot: A`; a dual system has a second one with `slot: B`.",
      path,
    });
  for (const slot of ["A", "B"] as const) {
    if (slots.filter((other) => other === slot).length > 1)
      problems.push({
        code: "slot-twice",
        message: `two volumes have slot ${slot}`,
        hint: "A dual system has one volume with slot A and one with slot B.",
        path,
      });
  }
  const weights = layout.volumes.filter(({ slot }) => slot !== undefined).map(({ growWeight }) => growWeight);
  if (new Set(weights).size > 1)
    problems.push({
      code: "slot-weights-differ",
      message: `the slots have growWeight ${weights.join(" and ")}`,
      hint: "Give both the same: they stay of one size, for a release must fit into either.",
      path,
    });
  return problems;
}
