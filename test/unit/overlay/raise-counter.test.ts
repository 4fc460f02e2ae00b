import { expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

const raise = "/usr/lib/dualroot/raise-counter";
/** The system's own counter, which is 1. */
const counter = (value: string): string =>
  `sed -i 's/"counter": .*/"counter": ${value},/' /etc/dualroot/system.json\n`;
const outcome = `echo "EXIT $?"; cat /data/dualroot/counter; cat /data/dualroot/history.jsonl 2>/dev/null; ls /data/dualroot`;
const run = async (prepare: string, shell = "sh") =>
  (
    await inThrowAwaySystem(
      `${freshGateway}mkdir -p /data/dualroot\n${prepare}\n${shell} ${raise}\n${outcome}`,
    )
  ).output;

test.each(["dash", "bash", "busybox sh"])("in %s: the first commit sets it, with an event", async (shell) => {
  const output = await run(counter("17"), shell);
  expect(output).toMatch(/^EXIT 0\n17\n/m);
  expect(output).toContain('"event":"counter-raised"');
  expect(output).toContain("releases below counter 17 are refused from now on");
  expect(output).not.toContain("counter.new");
});

test("it rises and never falls, and says nothing where it stays", async () => {
  const output = await run(
    `${counter("8")}${raise}; ${counter("9")}${raise}; ${counter("3")}${raise}; ${counter("9")}${raise}; cat /data/dualroot/counter
    ${counter("9007199254740991")}`,
  );
  expect(output).toMatch(/^9\nEXIT 0\n9007199254740991\n/m);
  expect(output).toContain("releases below counter 9 are refused from now on, until now below 8");
  expect(output.match(/counter-raised/g)).toHaveLength(3);
});

test.each([
  ["empty", ": "],
  ["zero bytes", "head -c 3 /dev/zero"],
  ["no number", "echo -5"],
  ["a number that no manifest has", "echo 99999999999999999999"],
  ["without end", "yes 7 | head -c 100000"],
])("a floor that is %s is written anew", async (_, content) => {
  expect(await run(`${content} >/data/dualroot/counter; ${counter("4")}`)).toMatch(/^EXIT 0\n4\n/m);
});

test("the old system in slot B has no counter, and a system without one says so", async () => {
  const old = await run(
    `echo 6 >/data/dualroot/counter; sed -i 's/"slot": "A"/"slot": "B",\\n  "oldSystem": true/' /etc/dualroot/system.json; ${counter("9")}`,
  );
  expect(old).toMatch(/^EXIT 0\n6\n/m);
  const without = await run(`sed -i '/counter/d' /etc/dualroot/system.json`);
  expect(without).toMatch(/cannot be raised: \/etc\/dualroot\/system.json has none\nEXIT 1/);
});

test("a disk that takes nothing keeps the old number, whole", async () => {
  const output = await run(`echo 6 >/data/dualroot/counter; mount -o remount,ro /data; ${counter("9")}`);
  expect(output).toMatch(/cannot be raised: .*cannot be written\nEXIT 1\n6\n/);
  const full = await run(
    `echo 6 >/data/dualroot/counter; mount -o remount,size=64k /data; head -c 1000000 /dev/zero >/data/full 2>/dev/null; ${counter("9")}`,
  );
  expect(full).toMatch(/cannot be raised: .*\nEXIT 1\n6\n/);
});
