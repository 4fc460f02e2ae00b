import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTree } from "../../../../agent/facts/tree.ts";
import { findFilesystems } from "../../../../agent/old-system/find-filesystems.ts";
import { StepError } from "../../../../format/errors.ts";
import { recordingRun } from "../recording-run.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dualroot-devices-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function file(path: string, content = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** `/dev/sda1` holds /boot; the volumes, each with the UUID it shows and the devices below it, all the rest. */
async function find(
  volumes: Record<string, { uuid?: string; on?: readonly string[] }>,
  group = "vg",
): Promise<string[]> {
  const names = Object.keys(volumes);
  for (const partition of ["sda1", "sda2"]) file(`sys/block/sda/${partition}/size`);
  for (const [index, name] of names.entries()) {
    file(`dev/mapper/${name}`);
    file(`sys/block/dm-${index}/dm/name`, `${name}\n`);
    for (const part of volumes[name]?.on ?? ["sda2"]) {
      const at = names.indexOf(part);
      file(`sys/block/dm-${index}/slaves/${at < 0 ? part : `dm-${at}`}`);
    }
  }
  const uuids = new Map([
    ["/dev/sda1", "boot"],
    ["/dev/sda2", "member"],
    ...names.map((name) => [`/dev/mapper/${name}`, volumes[name]?.uuid] as const),
  ]);
  const { run } = recordingRun((line) => {
    const uuid = uuids.get(line.split(" ").at(-1) ?? "");
    return uuid === undefined ? 2 : `UUID=${uuid}\nTYPE=ext4\n`;
  });
  const place = {
    disk: "/dev/sda",
    volumeGroups: [group],
    filesystems: [
      { uuid: "root", mountPoint: "/", type: "ext4" as const },
      { uuid: "boot", mountPoint: "/boot", type: "ext4" as const },
    ],
  };
  return findFilesystems(run, place, openTree(root));
}

test("each filesystem is found on its partition or volume", async () => {
  expect(await find({ "vg-old--root": { uuid: "root" }, "vg-swap": {} })).toEqual([
    "/dev/mapper/vg-old--root",
    "/dev/sda1",
  ]);
});

test("a snapshot that was left over is not taken for what it was taken of, nor the other way round", async () => {
  for (const snapshot of ["vg-before--update", "vg-zz"]) {
    const found = find({
      "vg-root": { uuid: "root", on: ["vg-root-real"] },
      "vg-root-real": { uuid: "root" },
      [snapshot]: { uuid: "root", on: ["vg-root-real", `${snapshot}-cow`] },
      [`${snapshot}-cow`]: {},
    });
    await expect(found).rejects.toThrow(StepError);
    await expect(found).rejects.toThrow(
      /^the filesystem of its \/ \(root\) is on \/dev\/sda twice \(.*\/dev\/mapper\/vg-root\b.*\): is there a snapshot of it\?$/,
    );
    rmSync(join(root, "dev"), { recursive: true });
    rmSync(join(root, "sys"), { recursive: true });
  }
});

test("a snapshot of what is not carried is nobody's business", async () => {
  const devices = { "vg-root": { uuid: "root" }, "vg-data": { uuid: "data" }, "vg-data1": { uuid: "data" } };
  expect(await find(devices)).toEqual(["/dev/mapper/vg-root", "/dev/sda1"]);
});

test.each([
  [
    "LVM's hidden layers",
    { "vg-root": { uuid: "root", on: ["vg-root-real"] }, "vg-root-real": { uuid: "root" } },
  ],
  [
    "halves of a mirror",
    {
      "vg-root": { uuid: "root", on: ["vg-root_rimage_0", "vg-root_rimage_1"] },
      "vg-root_rimage_0": { uuid: "root" },
      "vg-root_rimage_1": { uuid: "root" },
    },
  ],
  [
    "what lies two layers below",
    {
      "vg-root": { uuid: "root", on: ["vg-root-cache"] },
      "vg-root-cache": { uuid: "root", on: ["vg-root_corig"] },
      "vg-root_corig": { uuid: "root" },
    },
  ],
])("%s are the same thing", async (_, devices) => {
  expect(await find(devices)).toEqual(["/dev/mapper/vg-root", "/dev/sda1"]);
});

test("a view of ours is none of the volumes, though the group may have its name", async () => {
  const devices = {
    "dualroot-root": { uuid: "root" },
    "dualroot-old-0": { uuid: "root", on: ["dualroot-root", "loop0"] },
  };
  expect(await find(devices, "dualroot")).toEqual(["/dev/mapper/dualroot-root", "/dev/sda1"]);
});

test("a filesystem that is not there is named", async () => {
  await expect(find({ "vg-swap": {} })).rejects.toThrow("the filesystem of its / (root) is not on /dev/sda");
});
