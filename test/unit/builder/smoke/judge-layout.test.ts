import { expect, test } from "vitest";
import { judgeLayout } from "../../../../builder/smoke/judge-layout.ts";
import { parseItems } from "../../../../builder/smoke/parse-items.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";

const manifest = {
  version: "2026.11",
  compatible: "gateway",
  keepOldSystem: "auto" as const,
  layout: {
    biosBootBytes: 2 * MiB,
    bootBytes: GiB,
    volumeGroup: "VA",
    extentBytes: 4 * MiB,
    volumes: [
      {
        name: "root_a",
        sizeBytes: 3 * GiB,
        filesystem: "ext4" as const,
        mountPoint: "/",
        slot: "A" as const,
        growWeight: 0,
      },
      {
        name: "root_b",
        sizeBytes: 3 * GiB,
        filesystem: "ext4" as const,
        mountPoint: "/",
        slot: "B" as const,
        growWeight: 0,
      },
      { name: "data", sizeBytes: 512 * MiB, filesystem: "ext4" as const, mountPoint: "/data", growWeight: 1 },
    ],
  },
};

/** As a converted gateway printed it. */
const seen = [
  "command-line\tBOOT_IMAGE=(lvm/VA-root_a)/boot/vmlinuz root=/dev/mapper/VA-root_a ro rauc.slot=A panic=60",
  "mounts\t/dev/mapper/VA-root_a:/:ext4 /dev/mapper/VA-data:/data:ext4 /dev/vda2:/boot/dualroot:ext4",
  "table\tgpt",
  "partitions\tvda1:2097152:21686148-6449-6e6f-744e-656564454649: vda2:1073741824:0fc63daf-8483-4772-8e79-3d69d8477de4:ext4 vda3:9659482112:e6d6d379-f507-44c2-a23c-238f2a3df928:LVM2_member",
  "volumes\tVA:data:536870912 VA:root_a:3221225472 VA:root_b:3221225472",
  "free-extents\t0",
  "grubenv\tORDER=A B A_OK=1 A_TRY=0 B_OK=0 B_TRY=0",
  'system\t{ "format": 1, "compatible": "gateway", "version": "2026.11", "slot": "A" }',
  'rollback\t{"ok":false,"exitCode":4,"problems":[]}',
  'health\t{"state":"good","slot":"A","message":"healthy"}',
  "failed-units\t",
  "state\trunning",
].join("\n");

function wrongItems(output: string): string[] {
  return judgeLayout(parseItems(output), manifest).flatMap(({ item, holds }) => (holds ? [] : [item]));
}

test("a converted gateway holds", () => {
  expect(wrongItems(seen)).toEqual([]);
});

test("slot B is what the release wants, and GRUB and the way back agree about it", () => {
  const kept = seen
    .replace("B_OK=0", "B_OK=1")
    .replace('{"ok":false,"exitCode":4', '{"ok":true,"exitCode":0');
  const judged = (output: string, keepOldSystem: "auto" | "require" | "never"): boolean | undefined =>
    judgeLayout(parseItems(output), { ...manifest, keepOldSystem }).find(
      ({ item }) => item === "old system in slot B",
    )?.holds;
  expect([judged(kept, "auto"), judged(kept, "require"), judged(kept, "never")]).toEqual([true, true, false]);
  expect([judged(seen, "auto"), judged(seen, "require"), judged(seen, "never")]).toEqual([true, false, true]);
  expect(judged(seen.replace("B_OK=0", "B_OK=1"), "auto")).toBe(false);
});

test.each([
  ["\tgpt", "\tdos", ["partition table"]],
  ["volumes\t", "volumes\tVA:stash:4194304 ", ["stash released"]],
  ["free-extents\t0", "free-extents\t120", ["free space handed out"]],
  ["vda1:2097152", "vda1:1048576", ["partition 1"]],
  ["e6d6d379", "0fc63daf", ["partition 3"]],
  ["VA:root_b:3221225472", "VA:root_b:3221225471", ["volume root_b"]],
  ["VA-data:/data", "VA-data:/srv", ["mount of /data"]],
  ["rauc.slot=A", "rauc.slot=AB", ["running slot"]],
  ["A_TRY=0", "A_TRY=1", ["boot state"]],
  ['"good"', '"bad"', ["health gate"]],
  ["failed-units\t", "failed-units\tssh.service", ["failed units"]],
  ["running", "degraded", ["system state"]],
  ["2026.11", "2026.10", ["release"]],
])("%s -> %s is found", (from, to, items) => {
  expect(seen).toContain(from);
  expect(wrongItems(seen.replace(from, to))).toEqual(items);
});

test("nothing seen, nothing holds but what must be empty", () => {
  expect(wrongItems("")).toHaveLength(judgeLayout(new Map(), manifest).length - 1);
});
