import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adaptFstab, type SlotMounts } from "../../../../agent/old-system/adapt-fstab.ts";
import { parseFstab } from "../../../../agent/old-system/parse-fstab.ts";

const mounts: SlotMounts = {
  slotDevice: "/dev/mapper/VA-root_b",
  slotType: "ext4",
  merged: ["/boot"],
  elsewhere: new Set(["UUID=0f0f0f0f-0000-4000-8000-000000000001", "/dev/sdb1", "LABEL=archive"]),
  added: [
    { source: "UUID=b007b007-0000-8000-8000-000000000000", mountPoint: "/boot/dualroot", type: "ext4" },
    { source: "/dev/mapper/VA-data", mountPoint: "/data", type: "ext4" },
  ],
};
const read = (name: string): string =>
  readFileSync(new URL(`../../../golden/old-system/${name}`, import.meta.url), "utf8");

describe("golden", () => {
  test.each([
    ["centos", mounts],
    ["debian", { ...mounts, merged: ["/boot", "/var", "/home"] }],
  ])("%s", async (name, given) => {
    await expect(adaptFstab(read(`${name}.fstab`), given)).toMatchFileSnapshot(
      `../../../golden/old-system/${name}-slot-b.fstab`,
    );
  });
});

test("without a line for the root one is added, and what mounts there already keeps its place", () => {
  const text = adaptFstab("UUID=other /data xfs defaults 0 0\n", {
    ...mounts,
    elsewhere: new Set(["UUID=other"]),
  });
  expect(parseFstab(text).map(({ source, mountPoint }) => `${source} ${mountPoint}`)).toEqual([
    "UUID=other /data",
    "/dev/mapper/VA-root_b /",
    "UUID=b007b007-0000-8000-8000-000000000000 /boot/dualroot",
  ]);
});

test("the root keeps its own options only on a filesystem of the same type", () => {
  const root = (type: string): string[] =>
    parseFstab(adaptFstab(`/dev/sda1 / ${type} noatime,inode64,nosuid,x-systemd.growfs 0 0\n`, mounts))[0]!
      .options;
  expect(root("ext4")).toEqual(["noatime", "inode64", "nosuid", "x-systemd.growfs"]);
  expect(root("xfs")).toEqual(["noatime", "nosuid", "x-systemd.growfs"]);
});

const word = fc.stringMatching(/^[!-~]{1,12}$/);
const line = fc.oneof(
  fc.tuple(word, word, word, word).map((words) => words.join(" ")),
  fc.string({ maxLength: 40 }).map((text) => text.replaceAll("\n", " ")),
);

test("whatever stood there: one root on slot B, and nothing waits for a device that is not known to be there", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const adapted = parseFstab(adaptFstab(lines.join("\n"), mounts));
      const roots = adapted.filter(({ mountPoint }) => mountPoint === "/");
      expect(roots.length).toBeGreaterThan(0);
      expect(roots.every(({ source }) => source === mounts.slotDevice)).toBe(true);
      const ours = new Set([mounts.slotDevice, ...mounts.added.map(({ source }) => source)]);
      const strangers = adapted.filter(
        ({ source, options }) =>
          !options.includes("noauto") &&
          /^(UUID|LABEL|PARTUUID|PARTLABEL)=|^\/dev\//.test(source) &&
          !ours.has(source) &&
          !mounts.elsewhere.has(source),
      );
      expect(strangers).toEqual([]);
    }),
  );
});
