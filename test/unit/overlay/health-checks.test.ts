import { describe, expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

/** Prints what every check finds; `settings` are those of the health gate, `prepare` makes the situation. */
async function examine(settings: string, prepare = "", shell = "dash"): Promise<Record<string, string>> {
  const { output } = await inThrowAwaySystem(`${freshGateway}ln -sf $(command -v ${shell}) /bin/sh
${prepare}
cat >/examine <<'END'
. /usr/lib/dualroot/slots.sh
. /usr/lib/dualroot/health-checks.sh
DUALROOT_ADDRESSES= DUALROOT_GATEWAYS= DUALROOT_LEASED_GATEWAYS= DUALROOT_DNS_SERVERS= DUALROOT_EXPECT_SSH=no DUALROOT_CHECK_SECONDS=2
DUALROOT_MIN_FREE_MIB=1 DUALROOT_IGNORE_UNITS= deadline=0
${settings}
examine
END
/bin/sh /examine`);
  const rows = output
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  return Object.fromEntries(
    rows.map(([check, state, message = ""]) => [check, `${state} ${message}`.trim()]),
  );
}

/** Answers with a refusal on 127.0.0.1, and says nothing on 127.0.0.2. */
const dnsServers = `${process.execPath} -e '
const server = (address, answer) => { const s = require("node:dgram").createSocket("udp4"); s.on("message", (query, from) => {
  if (answer) s.send(Buffer.concat([query.subarray(0, 2), Buffer.from([128, 5]), query.subarray(4)]), from.port, from.address); });
  s.bind(53, address, () => require("node:fs").writeFileSync("/listens" + address, "")); };
server("127.0.0.1", true); server("127.0.0.2", false); setTimeout(() => process.exit(), 100000);' &
until [ -e /listens127.0.0.1 ] && [ -e /listens127.0.0.2 ]; do sleep 0.1; done
`;

describe.each(["dash", "bash", "busybox"])("in %s", (shell) => {
  test("one DNS server that answers anything is enough; silence on a new release is a fault", async () => {
    const found = await examine('DUALROOT_DNS_SERVERS="127.0.0.2 127.0.0.1"', dnsServers, shell);
    expect(found).toMatchObject({ addresses: "ok", gateways: "ok", dns: "ok", ssh: "ok", space: "ok" });
    const silent = await examine("DUALROOT_DNS_SERVERS='127.0.0.2 192.0.2.1 ::1'", dnsServers, shell);
    expect(silent["dns"]).toBe("bad no DNS server answers: 127.0.0.2 192.0.2.1 ::1");
  });
});

describe("sshd", () => {
  const sshd = (answer: string, ...ports: number[]): string => `
printf '#!/bin/sh\\nprintf "${answer}"\\n' >/usr/local/sbin/sshd; chmod 755 /usr/local/sbin/sshd
${process.execPath} -e 'for (const port of [${ports.join(",")}]) require("node:net").createServer().listen(port, () => require("node:fs").writeFileSync("/listens" + port, ""));
setTimeout(() => process.exit(), 100000);' &
for port in ${ports.join(" ")}; do until [ -e /listens$port ]; do sleep 0.1; done; done
`;
  const own = "port 22\\\\nlistenaddress 10.0.0.1:2222\\\\nlistenaddress [2001:db8::1]:2223 rdomain red\\\\n";

  test.each(["dash", "bash", "busybox"])(
    "is asked for where its addresses have ports, in %s",
    async (shell) => {
      expect((await examine("DUALROOT_EXPECT_SSH=yes", sshd(own, 2222, 2223), shell))["ssh"]).toBe("ok");
      expect((await examine("DUALROOT_EXPECT_SSH=yes", sshd(own, 22, 2222), shell))["ssh"]).toBe(
        "bad nothing listens on the ssh port 2223",
      );
    },
  );

  test.each([
    ["port 2222\\\\nport 2223\\\\n", "bad nothing listens on the ssh port 2223"],
    ["port 2222\\\\nlistenaddress [::]:2222\\\\nlistenaddress 0.0.0.0:2222\\\\n", "ok"],
    ["port 2222\\\\nlistenaddress 0.0.0.0\\\\n", "ok"],
    ["", "bad nothing listens on the ssh port 22"],
  ])("that says %j", async (answer, result) => {
    expect((await examine("DUALROOT_EXPECT_SSH=yes", sshd(answer, 2222)))["ssh"]).toBe(result);
  });
});

test("the gateway of a lease judges a new release only", async () => {
  const lost = "DUALROOT_LEASED_GATEWAYS=192.0.2.1";
  expect((await examine(lost))["gateways"]).toBe(
    "bad gateway 192.0.2.1, which DHCP gave before, does not answer",
  );
  expect((await examine(lost, "touch /boot/slot.proven"))["gateways"]).toMatch(
    /^warning gateway 192\.0\.2\.1/,
  );
  expect((await examine("DUALROOT_LEASED_GATEWAYS=127.0.0.1"))["gateways"]).toBe("ok");
});

test("where no bash can ask, DNS is left out and says so", async () => {
  const found = await examine("DUALROOT_DNS_SERVERS=127.0.0.2", "rm -f /usr/bin/bash; hash -r", "dash");
  expect(found["dns"]).toMatch(/^skipped no bash/);
});

/** As systemd 219 and 252 print them; one has a dot before the name. */
const failing = (state: string, ...units: string[]): string => `mkdir -p /run/systemd/system
cat >/usr/local/sbin/systemctl <<'END'
#!/bin/sh
case $* in
is-system-running) echo ${state} ;;
"show -p TriggeredBy "*) case $4 in daily*) echo TriggeredBy=daily.timer ;; *) echo TriggeredBy= ;; esac ;;
"list-units --state=failed --no-legend --no-pager") printf '%s loaded failed failed Some text.\\n' ${units.map((unit) => `"${unit}"`).join(" ")} ;;
*) exit 1 ;;
esac
END
chmod 755 /usr/local/sbin/systemctl
`;

describe("failed units", () => {
  const two = failing("degraded", "● kdump.service", "  app@1.service");
  test.each([
    [
      "a new release with failed units is not healthy",
      "",
      two,
      "bad failed units: kdump.service app@1.service",
    ],
    [
      "names and patterns may be left out",
      "DUALROOT_IGNORE_UNITS='k*.service x'",
      two,
      "bad failed units: app@1.service",
    ],
    ["and all of them", "DUALROOT_IGNORE_UNITS='kdump.service app@*'", two, "ok"],
    [
      "once healthy, it is warned only",
      "",
      `${two}touch /boot/slot.proven`,
      "warning failed units: kdump.service app@1.service",
    ],
    [
      "the old system is warned only",
      "",
      `${two}sed -i 's/"slot": "A"/"slot": "A",\\n  "oldSystem": true/' /etc/dualroot/system.json`,
      "warning failed units: kdump.service app@1.service",
    ],
    [
      "what a timer starts is a warning",
      "",
      failing("degraded", "● daily.service"),
      "warning failed units that a timer starts: daily.service",
    ],
    [
      "a boot that is still going on is waited for",
      "deadline=999999999",
      failing("starting").replace("'%s loaded failed failed Some text.\\n' ", ""),
      "waiting the system is still starting",
    ],
  ])("%s", async (_, settings, prepare, result) => {
    expect((await examine(settings, prepare))["units"]).toBe(result);
  });
});

test("disk space judges a new release, and warns about one that was healthy; what is read-only does not count", async () => {
  const small = "umount /data; mount -t tmpfs -o size=3m none /data; : >/data/x";
  expect((await examine("DUALROOT_MIN_FREE_MIB=4", small))["space"]).toBe(
    "bad /data has 3 MiB free, less than 4",
  );
  expect((await examine("DUALROOT_MIN_FREE_MIB=4", `${small}; touch /boot/slot.proven`))["space"]).toMatch(
    /^warning/,
  );
  expect((await examine("DUALROOT_MIN_FREE_MIB=4", `${small}; mount -o remount,ro /data`))["space"]).toBe(
    "ok",
  );
});

test("the release's checks speak for themselves, and only where the basics are well", async () => {
  const checks = `for check in 10-good 20-bad 30-slow; do printf '#!/bin/sh\\n' >/etc/dualroot/health.d/$check; chmod 755 /etc/dualroot/health.d/$check; done
echo 'printf "a\\tb\\n"; exit 7' >>/etc/dualroot/health.d/20-bad; echo 'exec sleep 30' >>/etc/dualroot/health.d/30-slow; : >/etc/dualroot/health.d/not-executable`;
  expect(await examine("", checks)).toMatchObject({
    "release/10-good": "ok",
    "release/20-bad": "bad check 20-bad failed with exit code 7: a b",
    "release/30-slow": "bad check 30-slow gave no result within 2 s",
  });
  const found = await examine("DUALROOT_ADDRESSES=192.0.2.1/24", checks);
  expect(Object.keys(found).filter((name) => name.startsWith("release/"))).toEqual([]);
});

test("busybox' timeout has another word for a check that took too long", async () => {
  const slow = `printf '#!/bin/sh\\nexec sleep 30\\n' >/etc/dualroot/health.d/slow; chmod 755 /etc/dualroot/health.d/slow
mkdir -p /usr/local/bin; mount -t tmpfs none /usr/local/bin; ln -s /bin/busybox /usr/local/bin/timeout`;
  expect((await examine("PATH=/usr/local/bin:$PATH", slow))["release/slow"]).toBe(
    "bad check slow gave no result within 2 s",
  );
});

test.each(["dash", "bash", "busybox"])(
  "nobody waits for what a check of the release leaves behind, in %s",
  async (shell) => {
    // Whoever waited would wait until the whole system is ended, and find nothing.
    const found = await examine(
      "",
      `printf '#!/bin/sh\\nsleep 1000 &\\necho it left a child\\nexit 3\\n' >/etc/dualroot/health.d/parent; chmod 755 /etc/dualroot/health.d/parent`,
      shell,
    );
    expect(found["release/parent"]).toBe("bad check parent failed with exit code 3: it left a child");
  },
);
