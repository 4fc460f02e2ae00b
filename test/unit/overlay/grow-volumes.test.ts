import { expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

/** When it leaves LVM alone; what it does with LVM is tried on real volumes in test/disk/grow. */
const lvm = `
for name in lvs vgs lvextend; do printf '#!/bin/sh\\necho "LVM $0 $*" >&2; exit 5\\n' >/usr/local/sbin/$name; chmod 755 /usr/local/sbin/$name; done
echo 'data ext4 /data 1 -' >/etc/dualroot/volumes
`;
const run = async (prepare: string) =>
  (
    await inThrowAwaySystem(
      `${freshGateway}${lvm}${prepare}\n/usr/lib/dualroot/grow-volumes; echo "EXIT $?"; cat /data/dualroot/history.jsonl 2>/dev/null`,
    )
  ).output;

test("a group that cannot be read is told, and nothing is touched", async () => {
  expect(await run("")).toBe("dualroot: the volume group VA cannot be read\nEXIT 1");
});

test.each([
  ["the release names no volumes", "rm /etc/dualroot/volumes"],
  ["all lines are of another kind", "printf 'data\\n# x\\n; rm -rf /\\n' >/etc/dualroot/volumes"],
  [
    "the old system runs",
    `sed -i 's/"slot": "A"/"slot": "B",\\n  "oldSystem": true/' /etc/dualroot/system.json`,
  ],
  [
    "there is no LVM",
    "rm /usr/local/sbin/lvextend; PATH=/bin; rm -f /usr/sbin/lvextend /sbin/lvextend; PATH=$PATH:/usr/sbin",
  ],
])("nothing to do where %s", async (_, prepare) => {
  expect(await run(prepare)).toBe("EXIT 0");
});

test("an upgrade that is running is left alone", async () => {
  const output = await run(
    `${process.execPath} -e 'require("net").createServer().listen("\\0dualroot-stage1"); setTimeout(() => process.exit(), 30000)' &
    until grep -q dualroot-stage1 /proc/net/unix; do sleep 0.1; done`,
  );
  expect(output).toBe("dualroot: an upgrade is running: volumes are grown after the next commit\nEXIT 0");
});
