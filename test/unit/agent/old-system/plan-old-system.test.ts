import { expect, test } from "vitest";
import type { Facts } from "../../../../agent/facts/facts.ts";
import { capturedMounts } from "../../../../agent/old-system/captured-mounts.ts";
import { exclusionOptions } from "../../../../agent/old-system/exclusions.ts";
import { oldSystemSteps } from "../../../../agent/old-system/old-system-steps.ts";
import { parseFstab } from "../../../../agent/old-system/parse-fstab.ts";
import { judgeOldSystem, roomForOldSystem } from "../../../../agent/old-system/plan-old-system.ts";
import { planConversion } from "../../../../agent/plan/conversion-plan.ts";
import type { Manifest } from "../../../../format/manifest.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";
import { exampleFacts, exampleManifest, examplePlanInput } from "../example.ts";

const used = (bytes: number, diskBytes = 10 * GiB): Facts => {
  const facts = exampleFacts();
  facts.disks[0]!.sizeBytes = diskBytes;
  for (const mount of facts.mounts) delete mount.usedBytes;
  facts.mounts.find(({ target }) => target === "/")!.usedBytes = bytes;
  return facts;
};
const keep = (keepOldSystem: Manifest["keepOldSystem"]): Manifest => exampleManifest({ keepOldSystem });

test("room is reserved for what the archive may take, whole MiB", () => {
  const room = roomForOldSystem({ manifest: keep("auto"), facts: used(GiB) });
  expect(room).toEqual({ wanted: "auto", bytes: Math.ceil(1024 * 0.6 + 16) * MiB });
});

test.each<[string, Facts, Manifest, string | undefined]>([
  ["it fits", used(GiB), keep("require"), undefined],
  ["the release does not want it", used(GiB), keep("never"), "cannot run beside it"],
  ["it is too big for slot B", used(3 * GiB), keep("auto"), "root_b (3 GiB) has room for 2.5 GiB"],
  [
    "the disk has no room beside the volumes",
    used(2 * GiB, 9.2 * GiB),
    keep("auto"),
    "the new volumes leave",
  ],
  [
    "no slot B",
    used(GiB),
    exampleManifest({
      layout: { ...exampleManifest().layout, volumes: [exampleManifest().layout.volumes[0]!] },
    }),
    "no slot B",
  ],
])("%s", (_, facts, manifest, reason) => {
  const verdict = judgeOldSystem({ manifest, facts });
  if (reason === undefined) expect(verdict.reason).toBeUndefined();
  else expect(verdict.reason).toContain(reason);
  expect(roomForOldSystem({ manifest, facts }) === undefined).toBe(reason !== undefined);
});

test("captured is the root and what is mounted from its disk, once each, in the order of mounting", () => {
  const facts = exampleFacts();
  const [disk] = facts.root!.disks;
  const mount = { source: "/dev/x", options: "rw", disks: [disk!] };
  facts.mounts.push(
    { ...mount, device: "253:9", target: "/var/log", type: "ext4" },
    { ...mount, device: "253:8", target: "/var", type: "ext4" },
    { ...mount, device: "253:8", target: "/srv/bind", type: "ext4" },
    { ...mount, device: "253:7", target: "/mnt/usb", type: "vfat" },
    { ...mount, device: "253:6", target: "/other", type: "ext4", disks: ["vdb"] },
  );
  expect(capturedMounts(facts).map(({ target }) => target)).toEqual(["/", "/boot", "/var", "/var/log"]);
  delete facts.root;
  expect(capturedMounts(facts)).toEqual([]);
});

test("left out are stash, caches, swap files and every lost+found; a name is no pattern", () => {
  const fstab = parseFstab("/swap[1].img none swap sw 0 0\n/dev/vda2 none swap sw 0 0\n");
  const options = exclusionOptions(fstab, ["/", "/boot"]);
  expect(options).toContain("--exclude=./var/lib/dualroot/stash");
  expect(options).toContain("--exclude=./swap\\[1\\].img");
  expect(options).toContain("--exclude=./boot/lost+found");
  expect(options).toContain("--exclude=./var/cache/yum/*");
  expect(options).toContain("--exclude=./opt/dualroot-runtime.*");
  expect(options.join(" ")).not.toContain("vda2");
});

const oldSystem = {
  wanted: "auto" as const,
  osName: "CentOS Linux 7 (Core)",
  kernelRelease: "3.10.0-1160.el7.x86_64",
  commandLine: "ro quiet",
  filesystems: [
    { uuid: "1111-2222", type: "xfs" as const, mountPoint: "/" },
    { uuid: "3333-4444", type: "xfs" as const, mountPoint: "/boot" },
  ],
};

test("the plan captures before anything else and restores before GRUB learns of the slots", () => {
  const input = examplePlanInput(exampleFacts());
  const kinds = (state: "capture" | "captured" | "none"): string[] =>
    planConversion({
      ...input,
      stash: { ...input.stash, oldSystem },
      power: "arm",
      oldSystem: state,
    }).steps.map(({ kind }) => kind);
  expect(kinds("none").filter((kind) => kind.endsWith("-old-system"))).toEqual(["release-old-system"]);
  const all = kinds("capture");
  expect(all.slice(0, 3)).toEqual(["capture-old-system", "release-old-system", "arm-resume-loader"]);
  expect(all.indexOf("restore-old-system")).toBe(all.indexOf("install-boot-files") - 1);
  expect(kinds("captured").filter((kind) => kind.endsWith("-old-system"))).toEqual([
    "release-old-system",
    "restore-old-system",
  ]);
});

test("the steps know where the archive goes", () => {
  const input = examplePlanInput(exampleFacts());
  const { steps: _, ...plan } = planConversion(input);
  const range = { startBytes: 5 * GiB, sizeBytes: 700 * MiB };
  const { capture, restore } = oldSystemSteps({
    manifest: input.manifest,
    stash: {
      oldSystem,
      space: { loader: { startBytes: 4 * GiB, sizeBytes: MiB }, oldSystem: [range] },
    },
    state: "capture",
    plan,
    volumeGroups: ["centos"],
    target: "/target",
    bootMountPoint: "/boot/dualroot",
  });
  expect(capture).toMatchObject({
    ranges: [range],
    volumeGroups: ["centos"],
  });
  expect(restore).toMatchObject({
    device: "/dev/mapper/VA-root_b",
    merged: ["/boot"],
    shared: [{ mountPoint: "/boot/dualroot" }, { source: "/dev/mapper/VA-data", mountPoint: "/data" }],
  });
});
