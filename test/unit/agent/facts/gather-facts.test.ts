import { rmSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { gatherFacts } from "../../../../agent/facts/gather-facts.ts";
import { recordingRun } from "../recording-run.ts";
import { centosTree, groupUuid, rootUuid, writeTree } from "./machine-tree.ts";

const roots: string[] = [];
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

/** LVM prints its UUIDs with dashes, device-mapper has none. */
const dashed = (uuid: string): string =>
  [6, 10, 14, 18, 22, 26, 32].map((end, index, ends) => uuid.slice(ends[index - 1] ?? 0, end)).join("-");

function answers(segmentType: string) {
  return (line: string): string | number => {
    if (line === "blkid -p -o export /dev/sda") return "DEVNAME=/dev/sda\nPTUUID=000a1b2c\nPTTYPE=dos\n";
    if (line === "blkid -p -o export /dev/sda1")
      return "DEVNAME=/dev/sda1\nUUID=b00t\nTYPE=xfs\nUSAGE=filesystem\n";
    if (line === "blkid -p -o export /dev/sda2") return "UUID=pv\nTYPE=LVM2_member\n";
    if (line.startsWith("blkid -p -o export /dev/")) return "UUID=r00t\nTYPE=xfs\n";
    if (line.startsWith("lvm pvs")) return `  centos|${dashed(groupUuid)}|/dev/sda2\n`;
    if (line.includes("segtype")) return `  ${dashed(groupUuid)}|${dashed(rootUuid)}|${segmentType}\n`;
    if (line.startsWith("lvm lvs")) return `  ${dashed(groupUuid)}|root|7516192768|/dev/centos/root|active\n`;
    return 2;
  };
}

async function gather(tree: Record<string, string>, segmentType = "linear") {
  const root = writeTree(tree);
  roots.push(root);
  const { run, commands } = recordingRun(answers(segmentType));
  return { facts: await gatherFacts({ run, root }), commands };
}

describe("a CentOS 7 on VMware", () => {
  test("is described from its disk up to its root filesystem", async () => {
    const { facts } = await gather(centosTree);
    expect(facts).toMatchObject({
      firmware: "bios",
      kernelRelease: "3.10.0-1160.el7.x86_64",
      osName: "CentOS Linux 7 (Core)",
      root: {
        device: "/dev/mapper/centos-root",
        filesystemType: "xfs",
        filesystemUuid: "r00t",
        stack: ["lvm-linear", "partition", "disk"],
        disks: ["sda"],
        groupPhysicalVolumes: ["/dev/sda2"],
      },
      boot: {
        grubFolder: "/boot/grub2",
        grubenvWritable: true,
        grubOneShot: true,
        kexecAllowed: true,
        secureBoot: false,
      },
      storageDrivers: ["mptspi", "sd_mod"],
    });
    expect(facts.disks).toEqual([
      {
        name: "sda",
        path: "/dev/sda",
        sizeBytes: 10 * 1024 ** 3,
        logicalSectorBytes: 512,
        serial: "6000c29f2d4e",
        model: "Virtual disk",
        readOnly: false,
        removable: false,
        tableType: "dos",
        tableId: "000a1b2c",
        holders: ["dm-0", "dm-1"],
        partitions: [
          {
            name: "sda1",
            path: "/dev/sda1",
            number: 1,
            startBytes: 1048576,
            sizeBytes: 1073741824,
            filesystemType: "xfs",
            filesystemUuid: "b00t",
          },
          {
            name: "sda2",
            path: "/dev/sda2",
            number: 2,
            startBytes: 1074790400,
            sizeBytes: 9662627840,
            filesystemType: "LVM2_member",
            filesystemUuid: "pv",
          },
        ],
      },
    ]);
    expect(facts.interfaces).toEqual([
      { name: "ens192", macAddress: "00:50:56:01:02:03", driver: "vmxnet3", up: true, addresses: [] },
    ]);
    expect(facts.volumeGroups).toMatchObject([
      {
        name: "centos",
        physicalVolumes: ["/dev/sda2"],
        volumes: [{ name: "root", sizeBytes: 7516192768, filesystemType: "xfs" }],
      },
    ]);
    expect(facts.mounts.find(({ target }) => target === "/")?.disks).toEqual(["sda"]);
    expect(facts.mounts.find(({ target }) => target === "/proc")).not.toHaveProperty("disks");
  });

  test("only asks: no command that could change a device is started", async () => {
    const { commands } = await gather(centosTree);
    expect(commands.length).toBeGreaterThan(4);
    for (const line of commands) expect(line).toMatch(/^(blkid -p -o export |lvm (pvs|lvs) --readonly )/);
  });

  test("a root on anything but linear segments is told apart", async () => {
    expect((await gather(centosTree, "raid1")).facts.root?.stack[0]).toBe("lvm-other");
  });

  test.each([
    ["mpath-3600508b4000156d7", "multipath"],
    ["CRYPT-LUKS1-0123", "crypt"],
    ["something", "unknown"],
  ])("a mapped device %s is %s", async (uuid, layer) => {
    const path = Object.keys(centosTree).find((name) => name.endsWith("dm-0/dm/uuid"))!;
    expect((await gather({ ...centosTree, [path]: uuid })).facts.root?.stack[0]).toBe(layer);
  });
});

test("UEFI, Secure Boot, lockdown and a forbidden kexec are seen", async () => {
  const { facts } = await gather({
    ...centosTree,
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c":
      "\u0006\u0000\u0000\u0000\u0001",
    "proc/sys/kernel/kexec_load_disabled": "1",
  });
  expect(facts.firmware).toBe("uefi");
  expect(facts.boot).toMatchObject({ secureBoot: true, kexecAllowed: false });
  const locked = await gather({
    ...centosTree,
    "sys/kernel/security/lockdown": "none [integrity] confidentiality",
  });
  expect(locked.facts.boot.kexecAllowed).toBe(false);
});

test("grubenv on LVM cannot be written by GRUB, and a grub.cfg without custom.cfg has no one-shot entry", async () => {
  const { facts } = await gather({
    ...centosTree,
    "proc/self/mountinfo": "62 0 253:0 / / rw - xfs /dev/mapper/centos-root rw",
    "boot/grub2/grub.cfg": "menuentry x {}",
  });
  expect(facts.boot).toMatchObject({ grubenvWritable: false, grubOneShot: false });
});

test("a converted gateway names its slot; a damaged file does not count", async () => {
  const system = {
    format: 1,
    compatible: "acme",
    slot: "A",
    name: "x",
    version: "1",
    counter: 1,
    volumeGroup: "VA",
  };
  const { facts } = await gather({ ...centosTree, "etc/dualroot/system.json": JSON.stringify(system) });
  expect(facts.converted).toEqual({ slot: "A", compatible: "acme" });
  expect((await gather({ ...centosTree, "etc/dualroot/system.json": "{" })).facts).not.toHaveProperty(
    "converted",
  );
});

test("the highest counter that was committed, on /data or in the slot", async () => {
  expect((await gather(centosTree)).facts).not.toHaveProperty("counterFloor");
  const inSlot = { ...centosTree, "var/lib/dualroot/counter": "9" };
  expect((await gather(inSlot)).facts.counterFloor).toBe(9);
  expect((await gather({ ...inSlot, "data/dualroot/counter": "7" })).facts.counterFloor).toBe(9);
  expect((await gather({ ...inSlot, "data/dualroot/counter": "12" })).facts.counterFloor).toBe(12);
});

test("nothing to read gives facts, not an exception", async () => {
  const { facts } = await gather({ "etc/empty": "" });
  expect(facts).toMatchObject({ disks: [], mounts: [], interfaces: [], osName: "unknown" });
  expect(facts).not.toHaveProperty("root");
});
