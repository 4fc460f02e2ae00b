import { afterAll, beforeAll, expect, test } from "vitest";
import { openGateway, type GatewaySession } from "../conversion/gateway-session.ts";
import { mountMedia } from "../../builder/smoke/old-system.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { buildGatewayDisk } from "../fixtures/gateway-disk.ts";
import { rootPassword } from "../fixtures/gateways.ts";

/** A gateway without a kexec program of its own: systemd could not start the ramdisk, so stage 1 does it itself. */
let session: GatewaySession;

beforeAll(async () => {
  session = await openGateway(
    "stage1-rehearsal",
    await buildGatewayDisk("ext4"),
    await buildFixturePackage(),
  );
});

afterAll(async () => {
  await session?.close();
});

test("a rehearsal by kexec from the package boots the ramdisk, comes back, and changes nothing", async () => {
  const { console } = session.machine;
  const upgrade = "sh /run/dualroot-smoke/package/upgrade.sh";
  await console.run("mv /usr/sbin/kexec /root/", 60);
  expect((await console.run("command -v kexec", 60)).exitCode).not.toBe(0);
  const boundary = "head -c 1048576 /dev/vda | sha256sum";
  const before = await console.run(boundary, 60);
  console.type(`${upgrade} convert --yes --boot kexec --rehearse`);
  await console.waitFor(/This is a rehearsal/, 400, "stage 1's last words");
  await console.waitFor(/ramdisk started, mode convert/, 200, "the ramdisk");
  await console.waitFor(/Rehearsal: everything (is|was) checked and planned/, 200, "the rehearsal's end");
  await console.logIn("root", rootPassword, 400);
  await mountMedia(console);
  expect(await console.run(boundary, 60)).toEqual(before);
  const status = await console.run(`${upgrade} status`, 200);
  expect(status.output).toContain("Rehearsed: the ramdisk of");
  // The filesystem was left clean although nobody unmounted it.
  const journal = await console.run("dmesg | grep -c 'recovery complete\\|orphan cleanup'", 60);
  expect(journal.output.trim()).toBe("0");
});
