import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { deriveLvmUuid } from "../../agent/plan/derive-uuid.ts";
import { dataOffsetBytes, mapExtents } from "../../agent/plan/extents.ts";
import { GiB, MiB } from "../../format/sizes.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-extents-"));
afterAll(() => rmSync(folder, { recursive: true }));

function tool(command: string, ...args: string[]): string {
  return execFileSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 60_000,
  }).trim();
}

/** Needs loop devices, but no device-mapper: only LVM's metadata is written, no volume is activated. */
test.each([
  { bytes: 2 * GiB, extentBytes: 4 * MiB },
  { bytes: 2 * GiB + MiB, extentBytes: 4 * MiB },
  { bytes: 2 * GiB + MiB - 512, extentBytes: 4 * MiB },
  { bytes: 3 * GiB + 7 * MiB, extentBytes: 32 * MiB },
  { bytes: 64 * MiB + MiB, extentBytes: MiB },
])("LVM lays $extentBytes-byte extents over $bytes bytes where we say", ({ bytes, extentBytes }) => {
  const image = join(folder, "pv.img");
  writeFileSync(image, "");
  truncateSync(image, bytes);
  const device = tool("losetup", "--find", "--show", image);
  try {
    const uuid = deriveLvmUuid("00112233445566778899aabbccddeeff", `physical volume ${bytes}`);
    const config = [
      "--config",
      `devices { filter=["a|^${device}$|", "r|.*|"] use_devicesfile=0 } activation { udev_sync=0 udev_rules=0 }`,
    ];
    tool(
      "pvcreate",
      ...config,
      "-ff",
      "-y",
      "--uuid",
      uuid,
      "--norestorefile",
      "--dataalignment",
      "1m",
      device,
    );
    tool("vgcreate", ...config, "--physicalextentsize", `${extentBytes}b`, "dualroot_extents", device);
    const columns = ["--noheadings", "--nosuffix", "--units", "b", "-o", "pv_uuid,pe_start,pv_pe_count"];
    const [foundUuid, start, count] = tool("pvs", ...config, ...columns, device).split(/\s+/);
    const map = mapExtents({ startBytes: 0, sizeBytes: bytes }, extentBytes);
    expect(foundUuid).toBe(uuid);
    expect(Number(start)).toBe(dataOffsetBytes);
    expect(Number(count)).toBe(map.totalExtents);
  } finally {
    tool("losetup", "--detach", device);
  }
});
