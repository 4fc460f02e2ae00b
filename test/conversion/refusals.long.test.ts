import { afterAll, beforeAll, expect, test } from "vitest";
import type { SerialConsole } from "../../builder/vm/serial-console.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import { openGateway, type GatewaySession } from "./gateway-session.ts";

/** Refusals on a real gateway, all in one boot: each names its code, and nothing is left that a reboot could act on. */
let session: GatewaySession;
let console: SerialConsole;

const state =
  "sha256sum /boot/grub/grubenv; ls -A /boot /boot/grub /var/lib/dualroot/stash /var/tmp 2>&1; head -c 1048576 /dev/vda | sha256sum";
let before: string;

beforeAll(async () => {
  session = await openGateway("refusals", await buildGatewayDisk("centos"), await buildFixturePackage());
  console = session.machine.console;
  const copy = await console.run(
    "mkdir /root/p && cp /run/dualroot-smoke/package/* /root/p/ && ls /root/p | wc -l",
    200,
  );
  expect(copy).toEqual({ exitCode: 0, output: "7" });
  before = (await console.run(state, 60)).output;
});

afterAll(async () => {
  await session?.close();
});

async function expectRefusal(
  change: string,
  undo: string,
  exitCode: number,
  code: string,
  command = "sh /root/p/upgrade.sh convert --yes",
): Promise<void> {
  expect((await console.run(change, 120)).exitCode).toBe(0);
  const result = await console.run(command, 400);
  expect((await console.run(undo, 120)).exitCode).toBe(0);
  expect(result.output).toContain(`code: ${code}`);
  expect(result.exitCode).toBe(exitCode);
  expect((await console.run(state, 60)).output).toBe(before);
}

const rootfs = "/root/p/rootfs.tar.xz";
const flip = (file: string): string =>
  `printf '\\377' | dd of=${file} bs=1 seek=1000 conv=notrunc status=none`;
const restore = (name: string): string => `cp /run/dualroot-smoke/package/${name} /root/p/${name}`;

test("a flipped byte in the root filesystem", () =>
  expectRefusal(flip(rootfs), restore("rootfs.tar.xz"), 6, "file-mismatch"));

test("a truncated kernel", () =>
  expectRefusal("truncate -s -1 /root/p/vmlinuz-convert", restore("vmlinuz-convert"), 6, "file-truncated"));

test("a missing signature", () =>
  expectRefusal("rm /root/p/manifest.json.sig", restore("manifest.json.sig"), 6, "signature-missing"));

test("a changed manifest", () =>
  expectRefusal(
    "sed -i s/2026.11/2026.12/ /root/p/manifest.json",
    restore("manifest.json"),
    6,
    "signature-invalid",
  ));

test("a package for another product", () =>
  expectRefusal(
    "mkdir -p /etc/dualroot && echo other-product > /etc/dualroot/compatible",
    "rm -r /etc/dualroot",
    4,
    "compatible-mismatch",
  ));

test("not root", () =>
  expectRefusal(
    "chmod 755 /root",
    "chmod 700 /root",
    4,
    "not-root",
    "su operator -c 'sh /root/p/upgrade.sh check'",
  ));

// The first waits for a person at its own terminal; the second has none: should the lock fail, it would not convert either.
test("two upgrades at once", () =>
  expectRefusal(
    '(sleep 500 | script -q -c "sh /root/p/upgrade.sh convert" /dev/null > /dev/null 2>&1 &); for try in $(seq 100); do grep -q @dualroot-stage1 /proc/net/unix && break; sleep 1; done; grep -q @dualroot-stage1 /proc/net/unix',
    "pkill -f 'sleep 500'; for try in $(seq 100); do pgrep -f upgrade.sh > /dev/null || break; sleep 1; done",
    7,
    "busy",
    "sh /root/p/upgrade.sh convert < /dev/null",
  ));
