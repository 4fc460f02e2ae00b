import { expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

/** Seconds from the kernel's start are long over here. A restart is noted instead, and ends it: nothing may reach the real sysrq. */
const prepare = `${freshGateway}
echo DUALROOT_BOOT_SECONDS=2 >>/etc/dualroot/health.conf
mount -t tmpfs none /proc/sys || exit 1
if [ -e /proc/sysrq-trigger ]; then mount --bind /dev/null /proc/sysrq-trigger || exit 1; fi
printf '#!/bin/sh\\necho "RESTART $*" >>/restarts; kill "$PPID"\\n' >/usr/local/sbin/systemctl
cat >/usr/local/sbin/sleep <<'END'
#!/bin/sh
# Behind the restart it lasts until the restart ends its caller, however slow this machine is.
case $1 in
30) touch /noticed ;;
10) if [ -e /restarting ]; then exec /usr/bin/sleep 100; elif [ -e /noticed ]; then touch /restarting; fi ;;
esac
exec /usr/bin/sleep 0.1
END
chmod 755 /usr/local/sbin/systemctl /usr/local/sbin/sleep
mkdir -p /run/dualroot
`;
const verdict = (state: string): string =>
  `echo '{"state":"${state}","slot":"A","message":"x"}' >/run/dualroot/health\n`;

/** What a restart notes is waited for: it writes it in the background. Where none should be, there is time enough for it to show. */
const restarted = "until [ -s /data/dualroot/history.jsonl ]; do /usr/bin/sleep 0.1; done";

async function atDeadline(situation: string, wait = "/usr/bin/sleep 1.5"): Promise<string> {
  const { output } = await inThrowAwaySystem(
    `${prepare}${situation}/usr/lib/dualroot/boot-deadline; echo EXIT $?; ${wait}; cat /restarts /data/dualroot/history.jsonl 2>/dev/null; exit 0`,
  );
  return output;
}

test.each([
  ["never healthy before, and the gate is silent", ""],
  ["never healthy before, and the gate hangs while it looks", verdict("waiting")],
  [
    "never healthy before, and grubenv cannot be read from here: GRUB has counted",
    ": >/boot/dualroot/grub/grubenv\n",
  ],
  ["healthy before, and slot B can be booted", "touch /boot/slot.proven; grub-editenv - set B_OK=1\n"],
])("restarts: %s", async (_, situation) => {
  const output = await atDeadline(situation, restarted);
  expect(output).toContain("EXIT 143");
  expect(output).toContain("RESTART --force --force reboot");
  expect(output).toMatch(
    /"event":"boot-deadline","slot":"A".*did not come to its health gate within \d+ s; restarting/,
  );
});

test.each([
  ["the gate found the slot good", verdict("good")],
  ["the gate found it bad, and decides itself", verdict("bad")],
  ["a person is there", "touch /run/dualroot/stay\n"],
])("leaves it alone: %s", async (_, situation) => {
  const output = await atDeadline(situation);
  expect(output).toContain("EXIT 0");
  expect(output).not.toContain("RESTART");
  expect(output).not.toContain("boot-deadline");
});

test.each([
  ["healthy before, and there is no other slot", "touch /boot/slot.proven\n"],
  [
    "healthy before, and nobody knows whether there is another slot",
    "touch /boot/slot.proven; : >/boot/dualroot/grub/grubenv\n",
  ],
])("stays up and says so: %s", async (_, situation) => {
  const output = await atDeadline(situation);
  expect(output).toContain("EXIT 0");
  expect(output).not.toContain("RESTART");
  expect(output).toMatch(/"event":"boot-deadline".*staying up/);
});

test.each(["dash", "bash", "busybox"])(
  "a setting that is no number counts as its default, in %s",
  async (shell) => {
    const young = `ln -sf $(command -v ${shell}) /bin/sh; echo "5.00 1.00" >/uptime; mount --bind /uptime /proc/uptime\n`;
    const wait =
      "timeout 2 /usr/lib/dualroot/boot-deadline 2>&1; echo EXIT $?; cat /restarts 2>/dev/null; exit 0";
    const ended = async (settings: string): Promise<string> => {
      const situation = settings.includes("HEALTH") ? verdict("waiting") : "";
      const { output } = await inThrowAwaySystem(
        `${prepare}${young}${situation}echo '${settings}' >>/etc/dualroot/health.conf\n${wait}`,
      );
      return `${settings}: ${output}`;
    };
    const settings = [
      "DUALROOT_BOOT_SECONDS=10min",
      "DUALROOT_BOOT_SECONDS=",
      'DUALROOT_BOOT_SECONDS=2; DUALROOT_HEALTH_SECONDS="3 min"',
      "DUALROOT_BOOT_SECONDS=2; DUALROOT_HEALTH_SECONDS=08",
    ];
    expect(await Promise.all(settings.map(ended))).toEqual(settings.map((line) => `${line}: EXIT 124`));
  },
);

test("waits until its time has come", async () => {
  const output = await inThrowAwaySystem(
    `${prepare}uptime=$(cut -d. -f1 /proc/uptime); echo "DUALROOT_BOOT_SECONDS=$((uptime + 60))" >>/etc/dualroot/health.conf
    (/usr/bin/sleep 1; ${verdict("good").trim()}) & /usr/lib/dualroot/boot-deadline; cat /restarts 2>/dev/null; echo ENDED`,
  );
  expect(output.output).not.toContain("RESTART");
  expect(output.output).toContain("ENDED");
});
