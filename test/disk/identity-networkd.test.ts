import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { captureIdentity } from "../../agent/identity/capture.ts";
import { renderNetwork } from "../../agent/identity/targets/render-network.ts";
import { createRun } from "../../agent/system/run.ts";
import { silent } from "../../format/events.ts";

const networkd = "/lib/systemd/systemd-networkd";
const run = createRun(silent);

/** In a network namespace of its own: a card with the old one's MAC address under another name, and nothing else configured. */
const script = String.raw`
set -eu
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp /etc/systemd/network
chown -R systemd-network /run/systemd/netif
mount --bind "$1" /etc/systemd/network
# Read-only /sys tells networkd that no udev is coming.
mount -o remount,ro /sys 2>/dev/null || mount -t sysfs -o ro none /sys
ip link set lo up
ip link add newname0 type veth peer name peer0
ip link set newname0 address "$2"
ip link set peer0 up
timeout 30 ${networkd} >"$1/log" 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  if grep -q '^ADMIN_STATE=configured' /run/systemd/netif/links/* 2>/dev/null; then break; fi
  sleep 0.5
done
ip -json address show dev newname0
ip -json route show dev newname0 proto static
ip -json -6 route show dev newname0 proto static
cat /run/systemd/netif/links/* | grep -e '^DNS=.' -e '^DOMAINS=.' | tr '\n' ' '
kill $! && wait || true
`;

const addresses = z.array(
  z.object({ mtu: z.number(), addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })) }),
);
const routes = z.array(
  z.object({ dst: z.string(), gateway: z.string().optional(), metric: z.number().optional() }),
);

async function canRun(): Promise<boolean> {
  if (process.getuid?.() !== 0 || !(await stat(networkd).catch(() => undefined))) return false;
  const probe = await run(
    "unshare",
    ["-n", "-m", "ip", "link", "add", "a0", "type", "veth", "peer", "name", "a1"],
    { acceptExitCodes: [1, 2] },
  );
  return probe.exitCode === 0;
}

test("the real systemd-networkd brings a CentOS 7 box's addresses, routes and name servers up on a renamed card", async (context) => {
  if (!(await canRun())) return context.skip();
  const folder = await mkdtemp(join(tmpdir(), "dualroot-networkd-"));
  try {
    const { identity } = await captureIdentity(
      join(import.meta.dirname, "../golden/identity/centos7-static/root"),
    );
    await mkdir(join(folder, "network"));
    for (const file of renderNetwork("networkd", identity)) {
      if (file.path.endsWith(".network"))
        await writeFile(join(folder, "network", basename(file.path)), file.content);
    }
    await run("chmod", ["755", folder]);
    const mac = identity.interfaces[0]?.macAddress ?? "";
    const { stdout } = await run(
      "unshare",
      ["-n", "-m", "sh", "-c", script, "sh", join(folder, "network"), mac],
      { timeoutSeconds: 60 },
    );
    const [addressLine = "", routeLine = "", route6Line = "", resolver = ""] = stdout.split("\n");
    const [card] = addresses.parse(JSON.parse(addressLine));
    expect(card?.addr_info.map((one) => `${one.local}/${one.prefixlen}`)).toEqual(
      expect.arrayContaining(["192.0.2.10/24", "2001:db8:0:1::10/64"]),
    );
    const shown = routes
      .parse(JSON.parse(routeLine))
      .map((one) => `${one.dst} ${one.gateway} ${one.metric ?? "-"}`);
    expect(shown.sort()).toEqual([
      "10.20.0.0/16 192.0.2.254 -",
      "172.16.5.0/24 192.0.2.253 50",
      "default 192.0.2.1 -",
    ]);
    expect(routes.parse(JSON.parse(route6Line)).map((one) => `${one.dst} ${one.gateway}`)).toEqual([
      "default 2001:db8:0:1::1",
    ]);
    expect(resolver).toContain("DNS=192.0.2.53 198.51.100.53");
    expect(resolver).toContain("DOMAINS=plant.example.com example.com");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
