import { expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

const event = (word: string, slot: string, message: string): string =>
  `printf '%s\\n' '${JSON.stringify({ time: "2026-11-01T00:00:00Z", event: word, slot, version: "1", message })}' >>/data/dualroot/history.jsonl\n`;
/** Slot A runs after slot B, the newer one, was tried three times. */
const afterFallback = `${freshGateway}mkdir -p /data/dualroot/slots
printf '{\\n  "format": 1,\\n  "slot": "B",\\n  "name": "demo",\\n  "version": "2026.12"\\n}\\n' >/data/dualroot/slots/B.json
grub-editenv - set "ORDER=B A" A_TRY=1 B_OK=1 B_TRY=3
`;
const notice = "/usr/lib/dualroot/notice-fallback >/dev/null; ";
const told = `grep '"event":"fallback"' /data/dualroot/history.jsonl | sed 's/.*"message":"//'; exit 0`;

async function tell(prepare: string, times = 1): Promise<string[]> {
  const { output } = await inThrowAwaySystem(`${afterFallback}${prepare}${notice.repeat(times)}${told}`);
  return output.trim().split("\n").filter(Boolean);
}

const before =
  event("unhealthy", "B", "an old story; restarting") + event("activated", "A", "slot B is next");
const silent =
  'slot B (demo 2026.12) never reached its health gate in 3 of 3 tries: its kernel, its initramfs, or a hang"}';

test.each([
  [
    "what its health gate said last",
    event("unhealthy", "B", 'check "db" failed; restarting') +
      event("unhealthy", "B", "gateway 192.0.2.1 does not answer; restarting"),
    'slot B (demo 2026.12) was given up after 3 of 3 tries: gateway 192.0.2.1 does not answer"}',
  ],
  [
    "that it hung",
    event("boot-deadline", "B", "the boot did not come to its health gate within 600 s; restarting"),
    'slot B (demo 2026.12) was given up after 3 of 3 tries: the boot did not come to its health gate within 600 s"}',
  ],
  ["that it never came so far", "", silent],
  ["nothing of what slot A once had", event("unhealthy", "A", "disk full; restarting"), silent],
])("the reason is %s", async (_, history, message) => {
  expect(await tell(before + history)).toEqual([message]);
});

test("it is told once, however often slot A starts, and again when the next release fails as well", async () => {
  expect(await tell(before, 3)).toHaveLength(1);
  const again = `${notice}${event("upgrade-started", "A", "to slot B")}${event("activated", "A", "slot B is next")}`;
  expect(await tell(before + again, 2)).toEqual([silent, silent]);
});

test.each([
  ["slot A is the preferred one", 'grub-editenv - set "ORDER=A B"\n'],
  ["a person chose slot A at the menu: slot B could be booted", "grub-editenv - set B_TRY=2\n"],
  [
    "an upgrade that writes slot B was interrupted",
    `grub-editenv - set B_OK=0 B_TRY=0\n${event("upgrade-started", "A", "")}`,
  ],
  ["grubenv cannot be read", ": >/boot/dualroot/grub/grubenv\n"],
])("it is no fallback when %s", async (_, prepare) => {
  expect(await tell(`${before}${prepare}`)).toEqual([]);
});

test("a slot that somebody has marked bad is told as that", async () => {
  expect(await tell(`${before}grub-editenv - set B_OK=0 B_TRY=0\n`)).toEqual([
    'slot B (demo 2026.12) is marked as not bootable"}',
  ]);
});

test("without any history or record it is told all the same", async () => {
  const [message] = await tell("rm -r /data/dualroot\n");
  expect(message).toMatch(/^slot B never reached its health gate in 3 of 3 tries/);
});
