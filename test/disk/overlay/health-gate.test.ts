import { describe, expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "../../unit/overlay/throw-away-system.ts";

/** Restarting is what the test must not do: the gate's call is noted, and ends it. */
const noteRestart = `
if [ -e /proc/sysrq-trigger ]; then mount --bind /dev/null /proc/sysrq-trigger || exit 1; fi
cat >/usr/local/sbin/shutdown <<'END'
#!/bin/sh
echo "RESTART \${0##*/} $*"
kill "$PPID"
END
chmod 755 /usr/local/sbin/shutdown
# The ten seconds a person has to read are not this test's.
cat >/usr/local/sbin/sleep <<'END'
#!/bin/sh
exec /usr/bin/sleep 0.2
END
chmod 755 /usr/local/sbin/sleep
`;
const outcome = `
echo "EXIT $?"
grub-editenv - list | tr '\\n' ' '; echo
cat /run/dualroot/health; echo
if [ -e /boot/slot.proven ]; then echo PROVEN; else echo UNPROVEN; fi
cat /data/dualroot/history.jsonl 2>/dev/null
exit 0
`;
const gate = (prepare: string, run = "/usr/lib/dualroot/health-gate") =>
  inThrowAwaySystem(`${freshGateway}${noteRestart}${prepare}\n${run}\n${outcome}`);

describe("healthy", () => {
  test("the first time: slot marked good and proven, event written", async () => {
    const { output } = await gate(`
      ip addr add 192.0.2.10/24 dev lo
      ip addr add 2001:db8::5/64 dev lo nodad
      echo 'DUALROOT_ADDRESSES="192.0.2.10/24 2001:DB8:0::5/64"' >/etc/dualroot/expected.sh
      echo 'DUALROOT_GATEWAYS="192.0.2.10 2001:db8::5"' >>/etc/dualroot/expected.sh
      printf '#!/bin/sh\\necho fine\\n' >/etc/dualroot/health.d/10-release; chmod 755 /etc/dualroot/health.d/10-release`);
    expect(output).toContain("EXIT 0");
    expect(output).toContain("A_OK=1 A_TRY=0 B_OK=0 B_TRY=0");
    expect(output).toContain('{"state":"good","slot":"A","message":"healthy"}');
    expect(output).toContain("\nPROVEN");
    expect(output).toMatch(/"event":"committed","slot":"A","version":"2026\.11"/);
    expect(output).not.toContain("RESTART");
  });

  test("on later boots the slot is marked good again, without another event", async () => {
    const { output } = await gate("touch /boot/slot.proven");
    expect(output).toContain("A_OK=1 A_TRY=0");
    expect(output).not.toContain("committed");
  });

  test("since when is in the slot's record, once", async () => {
    const file = "/data/dualroot/slots/A.json";
    const { output } = await gate(
      `mkdir -p /data/dualroot/slots; printf '{\\n  "format": 1,\\n  "slot": "A",\\n  "version": "2026.11"\\n}\\n' >${file}`,
      `/usr/lib/dualroot/health-gate; /usr/lib/dualroot/health-gate; echo RECORD $(cat ${file}) PROVEN SINCE $(cat /boot/slot.proven)`,
    );
    const [, record = "", since] = /^RECORD (.*) PROVEN SINCE (.*)$/m.exec(output) ?? [];
    expect(JSON.parse(record)).toEqual({ committed: since, format: 1, slot: "A", version: "2026.11" });
    expect(since).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test("a damaged grubenv is repaired first", async () => {
    const { output } = await gate(": >/boot/dualroot/grub/grub.cfg; : >/boot/dualroot/grub/grubenv");
    expect(output).toContain("EXIT 0");
    expect(output).toContain("ORDER=A B A_OK=1 A_TRY=0 B_OK=0 B_TRY=0");
    expect(output).toContain('"event":"grubenv-repaired"');
  });

  test("with a grubenv that nobody can repair it says so and stays up", async () => {
    const { output } = await gate(": >/boot/dualroot/grub/grubenv");
    expect(output).toContain("EXIT 1");
    expect(output).toContain("cannot be marked good");
    expect(output).toContain("has 0 bytes");
    expect(output).not.toContain("RESTART");
  });
});

describe("not healthy", () => {
  test.each([
    [
      "an address is missing",
      "echo 'DUALROOT_ADDRESSES=192.0.2.10/24' >/etc/dualroot/expected.sh",
      "address 192.0.2.10/24 is not up",
    ],
    [
      "a gateway is silent",
      "echo 'DUALROOT_GATEWAYS=192.0.2.1' >/etc/dualroot/expected.sh",
      "gateway 192.0.2.1 does not answer",
    ],
    [
      "sshd does not listen",
      "sed -i s/SSH=no/SSH=yes/ /etc/dualroot/health.conf; printf '#!/bin/sh\\necho port 2222\\n' >/usr/local/sbin/sshd; chmod 755 /usr/local/sbin/sshd",
      "nothing listens on the ssh port 2222",
    ],
    [
      "a check of the release fails",
      "printf '#!/bin/sh\\necho first; echo the database \\\\\"x\\\\\" is gone; exit 3\\n' >/etc/dualroot/health.d/db; chmod 755 /etc/dualroot/health.d/db",
      'check db failed with exit code 3: the database "x" is gone',
    ],
    [
      "a check of the release hangs",
      "printf '#!/bin/sh\\nexec /usr/bin/sleep 100\\n' >/etc/dualroot/health.d/slow; chmod 755 /etc/dualroot/health.d/slow",
      "check slow gave no result within 1 s",
    ],
  ])("never healthy before: %s, so it restarts for GRUB to count", async (_, prepare, reason) => {
    const { output } = await gate(prepare);
    expect(output).toContain(reason);
    expect(output).toContain("GRUB has counted attempt 1 of 3");
    expect(output).toContain("RESTART shutdown -r now");
    expect(output).toContain("A_OK=1 A_TRY=1");
    expect(output).toContain("\nUNPROVEN");
    const event = output.split("\n").find((line) => line.startsWith('{"time"'));
    expect(JSON.parse(event ?? "")).toMatchObject({ event: "unhealthy", message: `${reason}; restarting` });
  });

  const badAddress = "echo 'DUALROOT_ADDRESSES=192.0.2.10/24' >/etc/dualroot/expected.sh\n";
  const forAWhile = "timeout 6 /usr/lib/dualroot/health-gate";

  test("healthy before and nothing to fall back to: stays up, and commits when it gets well", async () => {
    const { output } = await gate(
      `${badAddress}touch /boot/slot.proven\n(/usr/bin/sleep 4; ip addr add 192.0.2.10/24 dev lo) &`,
    );
    expect(output).toContain("a restart leads nowhere better");
    expect(output).not.toContain("RESTART");
    expect(output).toContain("EXIT 0");
    expect(output).toContain("A_OK=1 A_TRY=0");
  });

  test("healthy before, and slot B can be booted: restarts", async () => {
    const { output } = await gate(`${badAddress}touch /boot/slot.proven; grub-editenv - set B_OK=1`);
    expect(output).toContain("RESTART shutdown");
  });

  test("GRUB could not count a restart: stays up", async () => {
    const { output } = await gate(`${badAddress}: >/boot/dualroot/grub/grubenv`, forAWhile);
    expect(output).toContain("a restart leads nowhere better");
    expect(output).not.toContain("RESTART");
    expect(output).toContain('"state":"bad"');
  });
});

describe("the restart", () => {
  /** Nothing obeys: all that the gate tries is noted. */
  const disobeyed = `
echo 'DUALROOT_ADDRESSES=192.0.2.10/24' >/etc/dualroot/expected.sh
for program in systemctl shutdown sync; do
  printf '#!/bin/sh\\necho "TRIED \${0##*/} $*"\\n' >/usr/local/sbin/$program; chmod 755 /usr/local/sbin/$program
done
sed -i s,/proc/sysrq-trigger,/sysrq, /usr/lib/dualroot/health-gate
`;
  const tried = async (prepare: string): Promise<string[]> => {
    const { output } = await gate(
      `${disobeyed}${prepare}`,
      "/usr/lib/dualroot/health-gate; echo TRIED $(cat /sysrq)",
    );
    const lines = [...output.matchAll(/^TRIED (.*?) *$/gm)].map(([, what = ""]) => what);
    return lines.filter((line) => !/^systemctl (is|list|show)-?/.test(line)).slice(-5);
  };

  test("asks who is there, and in the end the kernel, with everything written out", async () => {
    expect(await tried("")).toEqual(["sync", "sync", "shutdown -r now", "sync", "b"]);
    expect(await tried("mkdir -p /run/systemd/system\n")).toEqual([
      "sync",
      "systemctl reboot",
      "systemctl --force --force reboot",
      "sync",
      "b",
    ]);
  });
});

test.each(["dash", "bash", "busybox"])(
  "a setting that is no number is told once and counts as its default, in %s",
  async (shell) => {
    const { output } = await gate(`ln -sf $(command -v ${shell}) /bin/sh
      printf '%s\\n' 'DUALROOT_HEALTH_SECONDS="3 min"' DUALROOT_CHECK_SECONDS=08 DUALROOT_RETRY_SECONDS= DUALROOT_MIN_FREE_MIB=x >>/etc/dualroot/health.conf`);
    expect(output).toContain("EXIT 0");
    expect(output.match(/^.*is not a number.*$/gm)).toEqual(
      [
        "HEALTH_SECONDS=3 min is not a number; 180",
        "CHECK_SECONDS=08 is not a number; 60",
        "RETRY_SECONDS= is not a number; 30",
        "MIN_FREE_MIB=x is not a number; 8",
      ].map((text) => `dualroot: /etc/dualroot/health.conf: DUALROOT_${text} is taken`),
    );
  },
);

describe("the old system, kept as slot B", () => {
  const asOldSystem = `sed -i 's/"slot": "A"/"slot": "B",\\n  "oldSystem": true/' /etc/dualroot/system.json
    grub-editenv - set "ORDER=A B" A_TRY=3 B_OK=1 B_TRY=1
`;
  const inSlotB = (prepare: string, run = "/usr/lib/dualroot/health-gate") =>
    inThrowAwaySystem(
      `${freshGateway}${noteRestart}${asOldSystem}${prepare}\n${run}\n${outcome}`,
      "rauc.slot=B",
    );

  test("is marked good like any other", async () => {
    const { output } = await inSlotB("");
    expect(output).toContain("B_OK=1 B_TRY=0");
    expect(output).toContain("\nPROVEN");
  });

  test("not healthy, and the new one was given up: stays up, though it was never healthy in this place", async () => {
    const { output } = await inSlotB(
      "echo 'DUALROOT_ADDRESSES=192.0.2.10/24' >/etc/dualroot/expected.sh",
      "timeout 6 /usr/lib/dualroot/health-gate",
    );
    expect(output).toContain("a restart leads nowhere better");
    expect(output).not.toContain("RESTART");
  });

  test("not healthy, and the new one can be booted: restarts for GRUB to count", async () => {
    const { output } = await inSlotB(
      "grub-editenv - set A_TRY=0; echo 'DUALROOT_ADDRESSES=192.0.2.10/24' >/etc/dualroot/expected.sh",
    );
    expect(output).toContain("RESTART shutdown");
  });
});

describe("the stash", () => {
  const lvm = (answer: string): string => `
    printf '#!/bin/sh\\necho "  1073741824"\\n' >/usr/local/sbin/lvs
    printf '#!/bin/sh\\necho "REMOVED $*" >&2; ${answer}\\n' >/usr/local/sbin/lvremove
    chmod 755 /usr/local/sbin/lvs /usr/local/sbin/lvremove`;

  test("is released once the slot is good, and the history says how much", async () => {
    const { output } = await gate(lvm("echo $* >/removed"), "/usr/lib/dualroot/health-gate; cat /removed");
    expect(output).toContain("--yes --force VA/stash");
    expect(output).toMatch(/"event":"stash-released".*"1073741824 bytes/);
    expect(output).toContain("A_OK=1 A_TRY=0");
  });

  test("that cannot be released harms nothing", async () => {
    const { output } = await gate(lvm("echo it is in use >&2; exit 5"));
    expect(output).toContain("the stash cannot be released yet: it is in use");
    expect(output).toContain("EXIT 0");
    expect(output).toContain("A_OK=1 A_TRY=0");
    expect(output).not.toContain("stash-released");
  });

  test("is kept while the slot is not healthy", async () => {
    const { output } = await gate(
      `${lvm("echo $* >/removed")}; echo 'DUALROOT_ADDRESSES=192.0.2.10/24' >/etc/dualroot/expected.sh`,
      "/usr/lib/dualroot/health-gate; ls /removed",
    );
    expect(output).toContain("RESTART shutdown");
    expect(output).not.toMatch(/^\/removed/m);
  });
});

test("without a slot on the command line there is nothing to decide", async () => {
  const { output } = await inThrowAwaySystem(
    `${freshGateway}/usr/lib/dualroot/health-gate${outcome}`,
    "quiet",
  );
  expect(output).toContain("nothing to decide");
  expect(output).toContain("A_TRY=1");
});

test("a real listener is found on IPv4 and on IPv6", async () => {
  const { output } = await gate(`
    sed -i s/SSH=no/SSH=yes/ /etc/dualroot/health.conf
    printf '#!/bin/sh\\nprintf "port 2222\\\\nport 2223\\\\n"\\n' >/usr/local/sbin/sshd; chmod 755 /usr/local/sbin/sshd
    ${process.execPath} -e 'const n=require("node:net"); n.createServer().listen(2222,"127.0.0.1"); n.createServer().listen(2223,"::1"); setTimeout(()=>process.exit(),20000)' &
    /usr/bin/sleep 1`);
  expect(output).toContain("A_OK=1 A_TRY=0");
  expect(output).not.toContain("RESTART");
});
