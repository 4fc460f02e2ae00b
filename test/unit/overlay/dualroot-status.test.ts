import { expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

const odd = 'check "db" failed: C:\\\\path';
const withHistory = `${freshGateway}
. /usr/lib/dualroot/slots.sh
record_event committed "slot A is healthy for the first time"
record_event unhealthy '${odd}'
mkdir -p /run/dualroot; printf '{"state":"bad","slot":"A","message":%s}\\n' "$(json_string '${odd}')" >/run/dualroot/health
touch /boot/slot.proven
`;

test("--json is JSON, whatever the reasons say", async () => {
  const { output, exitCode } = await inThrowAwaySystem(`${withHistory}dualroot-status --json`);
  expect(exitCode).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    name: "demo",
    version: "2026.11",
    compatible: "demo-gateway",
    running: "A",
    next: "A",
    health: "bad",
    reason: odd,
    committed: true,
    slots: [
      { slot: "A", ok: true, tries: 1 },
      { slot: "B", ok: false, tries: 0 },
    ],
    events: [{ event: "committed" }, { event: "unhealthy", slot: "A", version: "2026.11", message: odd }],
  });
});

test("text names slots, next boot and events", async () => {
  const { output } = await inThrowAwaySystem(`${withHistory}grub-editenv - set A_TRY=3; dualroot-status`);
  expect(output).toContain("release     demo 2026.11 (demo-gateway)");
  expect(output).toContain("next boot   rescue ramdisk");
  expect(output).toContain("slot A      given up after 3 attempts");
  expect(output).toContain("slot B      not bootable");
  expect(output).toMatch(/\dZ {2}slot A {2}committed: slot A is healthy for the first time/);
});

test("a damaged grubenv is told, in both forms", async () => {
  const { output } = await inThrowAwaySystem(
    `${freshGateway}: >/boot/dualroot/grub/grubenv; dualroot-status; dualroot-status --json`,
  );
  expect(output).toContain("grubenv cannot be read");
  expect(JSON.parse(output.slice(output.indexOf("{")))).toMatchObject({ next: "rescue", slots: [] });
});

test.each([
  ["rm /etc/dualroot/system.json; dualroot-status", 4, "not a dual system"],
  ["dualroot-status --jsn", 2, "unknown argument --jsn"],
])("%s", async (command, code, message) => {
  const { output, exitCode } = await inThrowAwaySystem(`${freshGateway}${command}`);
  expect(exitCode).toBe(code);
  expect(output).toContain(message);
});
