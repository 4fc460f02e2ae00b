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
    checks: [],
    fallback: null,
    counter: null,
    grubenvReadable: true,
    slots: [
      { slot: "A", state: "bootable", ok: true, tries: 1, running: true, next: true, version: "2026.11" },
      { slot: "B", state: "bad", ok: false, tries: 0, running: false, next: false, version: null },
    ],
    events: [{ event: "committed" }, { event: "unhealthy", slot: "A", version: "2026.11", message: odd }],
  });
});

test("text names slots, next boot and events", async () => {
  const { output } = await inThrowAwaySystem(`${withHistory}grub-editenv - set A_TRY=3; dualroot-status`);
  expect(output).toContain("release     demo 2026.11 (demo-gateway)");
  expect(output).toContain("next boot   rescue ramdisk");
  expect(output).toContain("slot A      demo 2026.11: given up after 3 attempts");
  expect(output).toContain("slot B      not bootable");
  expect(output).toMatch(/\dZ {2}slot A {2}committed: slot A is healthy for the first time/);
});

test("a damaged grubenv is told, in both forms", async () => {
  const { output } = await inThrowAwaySystem(
    `${freshGateway}: >/boot/dualroot/grub/grubenv; dualroot-status; dualroot-status --json`,
  );
  expect(output).toContain("grubenv cannot be read");
  expect(JSON.parse(output.slice(output.indexOf("{")))).toMatchObject({
    next: "rescue",
    grubenvReadable: false,
    slots: [{ slot: "A", state: "unknown", ok: null, tries: null, running: true }],
  });
});

const record = (slot: string, lines: string): string => `cat >/data/dualroot/slots/${slot}.json <<END
{
  "format": 1,
  "slot": "${slot}",
  "name": "demo",
${lines}
}
END
`;
/** The release in slot B never got well; its gate said why. Slot A runs again, and its gate has looked at everything. */
const fallenBack = `${freshGateway}mkdir -p /data/dualroot/slots
${record("A", '  "version": "2026.11",\n  "committed": "2026-01-01T00:05:00Z",\n  "installedBy": "conversion",\n  "installed": "2026-01-01T00:00:00Z"')}
${record("B", '  "version": "2026.12",\n  "counter": 12,\n  "installedBy": "upgrade",\n  "installed": "2026-02-01T00:00:00Z"')}
printf '{"time":"2026-02-01T00:01:00Z","event":"unhealthy","slot":"B","version":"2026.12","message":"check \\"db\\" failed; restarting"}\n' >/data/dualroot/history.jsonl
echo 11 >/data/dualroot/counter
grub-editenv - set "ORDER=B A" B_OK=1 B_TRY=3
date -u +%Y-%m-%dT%H:%M:%SZ >/boot/slot.proven
echo DUALROOT_MIN_FREE_MIB=99999999 >>/etc/dualroot/health.conf
/usr/lib/dualroot/health-gate >/dev/null
`;

test("after a fallback it says what lies in the slots, since when, why the other was left, and what each check found", async () => {
  const { output } = await inThrowAwaySystem(`${fallenBack}dualroot-status --json; dualroot-status`);
  const at = output.indexOf("\n");
  const reason = 'slot B (demo 2026.12) was given up after 3 of 3 tries: check "db" failed';
  expect(JSON.parse(output.slice(0, at))).toMatchObject({
    format: 1,
    running: "A",
    next: "A",
    counter: 11,
    committed: true,
    health: "good",
    checks: [
      { check: "addresses", state: "ok" },
      { check: "gateways", state: "ok" },
      { check: "dns", state: "ok" },
      { check: "ssh", state: "ok" },
      { check: "units" },
      {
        check: "space",
        state: "warning",
        message: expect.stringMatching(/^\/ has \d+ MiB free, less than 99999999/),
      },
      { check: "space", state: "warning", message: expect.stringMatching(/^\/data has/) },
    ],
    fallback: { event: "fallback", slot: "A", message: reason },
    slots: [
      {
        slot: "B",
        state: "given-up",
        version: "2026.12",
        counter: 12,
        installedBy: "upgrade",
        installed: "2026-02-01T00:00:00Z",
        committed: null,
      },
      { slot: "A", state: "bootable", tries: 0, version: "2026.11", committed: "2026-01-01T00:05:00Z" },
    ],
  });
  const text = output.slice(at + 1);
  expect(text).toContain(
    "slot B      demo 2026.12: given up after 3 attempts; installed 2026-02-01T00:00:00Z by upgrade; never healthy\n",
  );
  expect(text).toContain("healthy since 2026-01-01T00:05:00Z\n");
  expect(text).toMatch(new RegExp(`^fallback .*Z  ${reason.replaceAll(/[()]/g, "\\$&")}$`, "m"));
  expect(text).toMatch(/^ {2}space {2}warning {2}\/data has \d+ MiB free/m);
});

test.each([
  ["an upgrade waits for its restart", "grub-editenv - set B_TRY=0"],
  ["nobody knows the order", ": >/boot/dualroot/grub/grubenv"],
])("an earlier fallback is not shown while %s", async (_, situation) => {
  const { output } = await inThrowAwaySystem(
    `${fallenBack}${situation}; dualroot-status --json; dualroot-status`,
  );
  const at = output.indexOf("\n");
  expect(JSON.parse(output.slice(0, at))).toMatchObject({ running: "A", fallback: null });
  expect(output.slice(at)).not.toMatch(/^fallback/m);
});

test.each([
  ["rm /etc/dualroot/system.json; dualroot-status", 4, "not a dual system"],
  ["dualroot-status --jsn", 2, "unknown argument --jsn"],
])("%s", async (command, code, message) => {
  const { output, exitCode } = await inThrowAwaySystem(`${freshGateway}${command}`);
  expect(exitCode).toBe(code);
  expect(output).toContain(message);
});
