import { describe, expect, test } from "vitest";
import {
  mountHolding,
  parseMemory,
  parseMounts,
  parseOsRelease,
} from "../../../../agent/facts/parse-proc.ts";

describe("/proc/meminfo", () => {
  test("gives total and available in bytes", () => {
    const text = "MemTotal:        1016188 kB\nMemFree:          100000 kB\nMemAvailable:     800000 kB\n";
    expect(parseMemory(text)).toEqual({ totalBytes: 1016188 * 1024, availableBytes: 800000 * 1024 });
  });
  test("estimates what a kernel without MemAvailable does not say", () => {
    const text = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\nSwapCached: 7 kB\n";
    expect(parseMemory(text).availableBytes).toBe(420 * 1024);
  });
  test("knows nothing from nothing", () => {
    expect(parseMemory("")).toEqual({ totalBytes: 0, availableBytes: 0 });
  });
});

describe("mountinfo", () => {
  const text = [
    "62 0 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/centos-root rw,seclabel,attr2",
    "70 62 8:1 / /boot rw,relatime shared:29 master:2 - xfs /dev/sda1 rw,seclabel",
    "71 62 8:17 / /srv/a\\040b\\134c rw - ext4 /dev/sdb1 rw",
    "72 62 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw",
    "broken line",
  ].join("\n");
  const mounts = parseMounts(text);

  test("is read with any number of optional fields, escapes undone, broken lines dropped", () => {
    expect(mounts.map(({ device, source, target, type }) => [device, source, target, type])).toEqual([
      ["253:0", "/dev/mapper/centos-root", "/", "xfs"],
      ["8:1", "/dev/sda1", "/boot", "xfs"],
      ["8:17", "/dev/sdb1", "/srv/a b\\c", "ext4"],
      ["0:5", "devtmpfs", "/dev", "devtmpfs"],
    ]);
  });
  test("the longest target holds a path, a later mount covers an earlier one", () => {
    expect(mountHolding(mounts, "/boot/grub2")?.target).toBe("/boot");
    expect(mountHolding(mounts, "/bootleg")?.target).toBe("/");
    const covered = [...mounts, { ...mounts[1]!, device: "9:9" }];
    expect(mountHolding(covered, "/boot")?.device).toBe("9:9");
  });
});

test("os-release is read quoted and unquoted", () => {
  expect(
    parseOsRelease('NAME="CentOS Linux"\nID=centos\n# NAME=no\nPRETTY_NAME=\'It is\'\nA="say \\"x\\""\n'),
  ).toEqual({
    NAME: "CentOS Linux",
    ID: "centos",
    PRETTY_NAME: "It is",
    A: 'say "x"',
  });
});
