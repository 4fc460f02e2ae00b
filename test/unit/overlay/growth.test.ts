import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { planGrowth, type GrowingVolume } from "../../../agent/plan/plan-growth.ts";

const script = "rootfs-overlay/usr/lib/dualroot/grow-volumes";

const grown = (volumes: readonly GrowingVolume[], free: number): Record<string, number> =>
  Object.fromEntries(planGrowth(volumes, free));

const volume = (name: string, extents: number, weight: number, slot?: "A" | "B"): GrowingVolume => ({
  name,
  extents,
  weight,
  ...(slot ? { slot } : {}),
});

describe("who gets how much", () => {
  test("by default everything goes to data", () => {
    const volumes = [volume("root_a", 768, 0, "A"), volume("root_b", 768, 0, "B"), volume("data", 128, 1)];
    expect(grown(volumes, 3000)).toEqual({ data: 3000 });
    expect(grown(volumes, 0)).toEqual({});
  });

  test("by weight; what does not divide evenly goes to the greatest", () => {
    const volumes = [volume("image", 10, 1), volume("data", 10, 2), volume("logs", 10, 0)];
    expect(grown(volumes, 100)).toEqual({ image: 33, data: 67 });
  });

  test("two slots halve what they get; an odd extent stays free where nobody else grows", () => {
    const slots = [volume("root_a", 10, 1, "A"), volume("root_b", 10, 1, "B")];
    expect(grown(slots, 101)).toEqual({ root_a: 50, root_b: 50 });
    expect(grown([...slots, volume("data", 5, 2)], 101)).toEqual({ root_a: 25, root_b: 25, data: 51 });
  });

  test("the smaller slot is made equal first, as far as there is room: a cut between the two is mended", () => {
    const slots = [volume("root_a", 35, 1, "A"), volume("root_b", 10, 1, "B"), volume("data", 5, 2)];
    expect(grown(slots, 125)).toEqual({ root_a: 25, root_b: 50, data: 50 });
    expect(grown(slots, 20)).toEqual({ root_b: 20 });
  });

  test("a slot of weight 0 keeps the other one from growing, too", () => {
    expect(grown([volume("root_a", 10, 1, "A"), volume("root_b", 8, 0, "B")], 50)).toEqual({});
  });

  test("a single root grows as any volume", () => {
    expect(grown([volume("root", 10, 3, "A"), volume("data", 10, 1)], 100)).toEqual({ root: 75, data: 25 });
  });
});

/** Layouts as the schema allows them: at most one volume a slot. */
const layouts = fc
  .record({
    slots: fc.array(fc.record({ extents: fc.nat(100_000), weight: fc.nat(4) }), { maxLength: 2 }),
    others: fc.array(fc.record({ extents: fc.nat(100_000), weight: fc.nat(1000) }), { maxLength: 5 }),
    free: fc.oneof(fc.nat(20), fc.nat(4_000_000)),
  })
  .map(({ slots, others, free }) => ({
    volumes: [
      ...slots.map(({ extents, weight }, index) =>
        volume(`root_${index}`, extents, weight, (["A", "B"] as const)[index]),
      ),
      ...others.map(({ extents, weight }, index) => volume(`v${index}`, extents, weight)),
    ],
    free,
  }));

test("never more than there is, nothing for weight 0, slots closer than before, and a second time nothing", () => {
  fc.assert(
    fc.property(layouts, ({ volumes, free }) => {
      const more = planGrowth(volumes, free);
      const given = [...more.values()].reduce((sum, extents) => sum + extents, 0);
      expect(given).toBeLessThanOrEqual(free);
      for (const { name, weight } of volumes) if (weight === 0) expect(more.has(name)).toBe(false);
      const after = volumes.map((each) => ({ ...each, extents: each.extents + (more.get(each.name) ?? 0) }));
      const gap = (list: readonly GrowingVolume[]): number => {
        const [one, two] = list.filter(({ slot }) => slot !== undefined);
        return one && two ? Math.abs(one.extents - two.extents) : 0;
      };
      expect(gap(after)).toBeLessThanOrEqual(gap(volumes));
      if (volumes.some(({ weight, slot }) => weight > 0 && slot === undefined)) expect(given).toBe(free);
      expect(planGrowth(after, free - given).size).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

describe("the gateway's script comes to the same", () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-growth-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  // Each as /bin/sh and the awk beside it, as on Debian, on CentOS and in the ramdisk.
  test.each([
    ["dash", "mawk"],
    ["bash", "mawk"],
    ["busybox", "busybox"],
  ])("in %s with %s", (shell, awk) => {
    const bin = join(folder, shell);
    execFileSync("mkdir", ["-p", bin]);
    const which = (name: string): string => execFileSync("which", [name], { encoding: "utf8" }).trim();
    symlinkSync(which(awk), join(bin, "awk"));
    fc.assert(
      fc.property(layouts, ({ volumes, free }) => {
        const input = volumes
          .map(({ name, extents, weight, slot }) => `${name} ${extents} ${weight} ${slot ?? "-"}\n`)
          .join("");
        const output = execFileSync(
          which(shell),
          [...(shell === "busybox" ? ["sh"] : []), script, "--plan", String(free)],
          { input, encoding: "utf8", env: { PATH: `${bin}:/usr/bin:/bin` } },
        );
        const lines = output.trim() === "" ? [] : output.trim().split("\n");
        const found = Object.fromEntries(
          lines.map((line) => line.split(" ")).map(([name, more]) => [name, Number(more)]),
        );
        expect(found).toEqual(grown(volumes, free));
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});
