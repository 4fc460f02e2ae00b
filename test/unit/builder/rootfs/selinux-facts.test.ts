import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RootSource } from "../../../../builder/inputs/root-source.ts";
import { readSelinuxFacts } from "../../../../builder/rootfs/selinux-facts.ts";

const root = mkdtempSync(join(tmpdir(), "dualroot-selinux-"));
afterAll(() => rmSync(root, { recursive: true }));
for (const policy of ["targeted", "our-own"])
  mkdirSync(join(root, "etc/selinux", policy, "contexts/files"), { recursive: true });

const source = { root, labels: async () => ({ looked: 1, labelled: 1 }) } as RootSource;

async function modeOf(config: string): Promise<string | undefined> {
  writeFileSync(join(root, "etc/selinux/config"), config);
  return (await readSelinuxFacts(source, undefined))?.mode;
}

/** What libselinux's selinux_getenforcemode and init_selinux_config make of the file. */
test.each([
  ["SELINUX=enforcing\nSELINUXTYPE=targeted\n", "enforcing"],
  ["SELINUX=Enforcing\nSELINUXTYPE=targeted\n", "enforcing"],
  ["SELINUX=ENFORCING # as the audit wants\nSELINUXTYPE=targeted\n", "enforcing"],
  ["SELINUX= \tenforcing\nSELINUXTYPE=targeted\n", "enforcing"],
  ["SELINUX=enforcing\r\nSELINUXTYPE=targeted\r\n", "enforcing"],
  ["SELINUX=enforcing1\nSELINUX=disabled\nSELINUXTYPE=targeted\n", "enforcing"],
  ["SELINUX=on\nSELINUX=Permissive\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", "permissive"],
  ["#SELINUX=enforcing\n SELINUX=enforcing\nSELINUX=disabled\nSELINUXTYPE=targeted\n", "disabled"],
  ["SELINUX=enforcing\n", "enforcing"],
  ["SELINUX=enforcing\n selinuxtype= our-own \n", "enforcing"],
  ["SELINUX=enforcing\nSELINUXTYPE=absent\nSELINUXTYPE=targeted\n", "enforcing"],
  ["SELINUX=enforcing\nSELINUXTYPE=targeted\nSELINUXTYPE=absent\n", undefined],
  ["SELINUX=\nenforcing\nSELINUXTYPE=targeted\n", undefined],
  ["SELINUX=\n", undefined],
  ["", undefined],
])("%j is %s", async (config, mode) => {
  expect(await modeOf(config)).toBe(mode);
});
