import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { loadSlotModules } from "../../../../agent/boot-slot/load-slot-modules.ts";
import { recordingRun } from "../recording-run.ts";

test("firewall and network are asked for, and a kernel without a packet filter is told", async () => {
  const told: string[] = [];
  const { run, commands } = recordingRun();
  await loadSlotModules({ run, tell: (...lines) => void told.push(...lines) });
  expect(commands[0]).toBe("modprobe -q bonding max_bonds=0");
  for (const name of ["nf_tables", "iptable_filter", "8021q"]) expect(commands[1]).toContain(` ${name} `);
  // This test's own kernel decides.
  const hasFilter = existsSync("/sys/module/nf_tables") || existsSync("/sys/module/ip_tables");
  expect(told.join()).toMatch(hasFilter ? /^$/ : /no packet filter: a firewall in the slot stays OFF/);
});
