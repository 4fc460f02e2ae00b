import { expect, test } from "vitest";
import {
  blkidCommand,
  blockDevices,
  lvsCommand,
  withTags,
} from "../../../../../builder/inputs/disk/block-devices.ts";
import { listedEntries } from "../../../../../builder/inputs/disk/listed-entries.ts";
import { missingBytesOfVdi } from "../../../../../builder/inputs/disk/vdi-size.ts";
import { imageWord, qemuArguments } from "../../../../../builder/vm/qemu.ts";
import { MiB } from "../../../../../format/sizes.ts";

/** As the helper's lsblk and blkid of util-linux 2.38 write it. */
const lsblk = JSON.stringify({
  blockdevices: [
    { kname: "vda", path: "/dev/vda", pkname: null, type: "disk", size: 1000 },
    { kname: "vda1", path: "/dev/vda1", pkname: "vda", type: "part", size: 200 },
    { kname: "vda2", path: "/dev/vda2", pkname: "vda", type: "part", size: 800 },
    { kname: "dm-0", path: "/dev/mapper/v--g-root", pkname: "vda2", type: "lvm", size: 700 },
    { kname: "dm-1", path: "/dev/mapper/v--g-pool_tdata", pkname: "vda2", type: "lvm", size: 700 },
    { kname: "vdb", path: "/dev/vdb", pkname: null, type: "disk", size: 300 },
    { kname: "sr0", path: "/dev/sr0", pkname: null, type: "rom", size: 300 },
  ],
});
const lvs = JSON.stringify({
  report: [
    {
      lv: [
        {
          vg_name: "v-g",
          lv_name: "root",
          lv_dm_path: "/dev/mapper/v--g-root",
          vg_uuid: "eMyZ0e-1aRV-jDxJ-N1Tk-Xv9d-Bxmd-VFkCpY",
          lv_uuid: "pQwHxH-0Tk2-b7sf-h2cv-mNpN-gYJM-qAUeFS",
        },
      ],
    },
  ],
});

test("what has no partitions and carries no volumes may be a filesystem", () => {
  const found = blockDevices(lsblk, lvs);
  expect(found.map(({ device, partition, volume }) => [device, partition, volume])).toEqual([
    ["/dev/vda1", { disk: 0, number: 1 }, undefined],
    [
      "/dev/mapper/v--g-root",
      undefined,
      {
        group: "v-g",
        name: "root",
        uuid: "LVM-eMyZ0e1aRVjDxJN1TkXv9dBxmdVFkCpYpQwHxH0Tk2b7sfh2cvmNpNgYJMqAUeFS",
      },
    ],
    ["/dev/vdb", undefined, undefined],
  ]);
  expect(lvsCommand).toContain("--options=vg_name,lv_name,lv_dm_path,vg_uuid,lv_uuid");
  expect(blkidCommand(found)).toContain("/dev/vdb");
  const tagged = withTags(
    found,
    "DEVNAME=/dev/vda1\nUUID=1-2\nLABEL=my\\ disk\\\\1\nTYPE=ext4\nPART_ENTRY_UUID=p\nPART_ENTRY_NAME=n\n\nDEVNAME=/dev/mapper/v--g-root\nTYPE=xfs\n",
  );
  expect(tagged[0]).toMatchObject({
    type: "ext4",
    uuid: "1-2",
    label: "my disk\\1",
    partitionUuid: "p",
    partitionLabel: "n",
  });
  expect(tagged.map(({ type }) => type)).toEqual(["ext4", "xfs", ""]);
  expect(tagged[2]).not.toHaveProperty("uuid");
});

test("a list of find's is read whatever its chunks are, sorted by the bytes of its paths", async () => {
  const bytes = Buffer.from(
    "d\x004096\x008\x001.5\x001:2\x003\x00\x00\x00" +
      "l\x003\x000\x001700000000.9\x001:4\x001\x00b\nc\x00a/b\x00" +
      "f\x0070\x008\x00-3.0\x001:5\x002\x00a\u00ff\x00\x00",
    "latin1",
  );
  for (const size of [1, 7, 1000]) {
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    expect(await listedEntries(chunks())).toEqual([
      {
        path: "a\u00ff",
        type: "file",
        sizeBytes: 70,
        allocatedBytes: 4096,
        modifiedAt: 0,
        inode: "1:5",
        links: 2,
        linkTarget: "",
      },
      {
        path: "b\nc",
        type: "link",
        sizeBytes: 3,
        allocatedBytes: 0,
        modifiedAt: 1_700_000_000,
        inode: "1:4",
        links: 1,
        linkTarget: "a/b",
      },
    ]);
  }
  const cut = async function* () {
    yield bytes.subarray(0, 30);
  };
  await expect(listedEntries(cut())).rejects.toThrow("ends within an entry");
});

test.each([
  ["a name that leads up", ["d:..", "f:../x"]],
  ["something below a link", ["l:a", "f:a/b"]],
  ["a name twice", ["l:a", "d:a"]],
  ["a folder that is not there", ["f:a/b"]],
])("a list with %s is refused", async (_, entries) => {
  const chunks = async function* () {
    for (const [type, path] of entries.map((entry) => entry.split(":")))
      yield Buffer.from([type, 0, 0, 0, "1:1", 1, path, ""].join("\0") + "\0");
  };
  await expect(listedEntries(chunks())).rejects.toMatchObject({
    problems: [{ code: "disk-filesystem-damaged" }],
  });
});

test("a VDI says how long it must be", () => {
  const head = Buffer.alloc(512);
  head.writeUInt32LE(1024, 344);
  head.writeUInt32LE(MiB, 376);
  head.writeUInt32LE(20, 388);
  expect(missingBytesOfVdi(head, 20 * MiB + 1024)).toBe(0);
  expect(missingBytesOfVdi(head, 20 * MiB)).toBe(1024);
});

test("a disk that lies in another file is opened where it lies", () => {
  const drive = { file: "/tmp/a,b.ova", format: "vmdk" as const, window: { offset: 1536, sizeBytes: 700 } };
  expect(JSON.parse(imageWord(drive).slice("json:".length))).toEqual({
    driver: "vmdk",
    file: { driver: "raw", offset: 1536, size: 700, file: { driver: "file", filename: "/tmp/a,b.ova" } },
  });
  const words = qemuArguments(
    {
      name: "helper",
      machine: "q35",
      memoryBytes: MiB,
      cpus: 1,
      drives: [{ ...drive, readOnly: false, serial: "disk0", disposable: true, discardWrites: true }],
      nics: [],
      display: "none",
      onReset: "stop",
    },
    "tcg",
    { qmp: "q", serial: "s", consoleLog: "c", ports: "p" },
  );
  expect(words.find((word) => word.startsWith("id=drive0"))).toBe(
    "id=drive0,if=none,driver=vmdk,file.driver=raw,file.offset=1536,file.size=700,file.file.driver=file," +
      "file.file.filename=/tmp/a,,b.ova,read-only=off,cache=unsafe,discard=unmap,werror=report,rerror=report,snapshot=on",
  );
});
