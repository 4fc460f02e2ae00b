import { describe, expect, it } from "vitest";
import { judgeSelinux, withSelinuxMode } from "../../../../builder/plan/judge-selinux.ts";
import type { SelinuxFacts } from "../../../../builder/rootfs/selinux-facts.ts";

const enforcing: SelinuxFacts = {
  mode: "enforcing",
  config: "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
  labels: { looked: 200, labelled: 0 },
  canRelabel: true,
};

describe("SELinux of the target", () => {
  it("is refused when it enforces what has no labels, and the release chose nothing", () => {
    expect(judgeSelinux(enforcing, undefined)).toMatchObject({
      problem: {
        code: "selinux-labels-missing",
        message: expect.stringContaining("0 of 200"),
        hint: expect.stringContaining("relabel"),
      },
    });
    expect(judgeSelinux({ ...enforcing, labels: { looked: 200, labelled: 179 } }, undefined)).toHaveProperty(
      "problem",
    );
  });

  it("is as the release chose", () => {
    for (const word of ["relabel", "permissive", "disabled"] as const)
      expect(judgeSelinux(enforcing, word)).toEqual({ plan: word });
    expect(judgeSelinux({ ...enforcing, canRelabel: false }, "relabel")).toMatchObject({
      problem: { code: "selinux-cannot-relabel" },
    });
  });

  it("is carried with its labels, or where it prevents nothing", () => {
    expect(judgeSelinux({ ...enforcing, labels: { looked: 200, labelled: 198 } }, undefined)).toEqual({
      plan: "carried",
    });
    for (const mode of ["permissive", "disabled"] as const)
      expect(judgeSelinux({ ...enforcing, mode }, undefined)).toEqual({ plan: "carried" });
    expect(judgeSelinux(undefined, undefined)).toEqual({ plan: "none" });
    expect(judgeSelinux(undefined, "disabled")).toEqual({ plan: "none" });
  });

  it("changes one line of the settings", () => {
    expect(withSelinuxMode(enforcing.config, "permissive")).toBe(
      "# comment\nSELINUX=permissive\nSELINUXTYPE=targeted\n",
    );
  });
});
