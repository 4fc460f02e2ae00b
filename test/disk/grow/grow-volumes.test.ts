import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planGrowth } from "../../../agent/plan/plan-growth.ts";
import { makeCommand } from "../../../agent/steps/make-filesystem.ts";
import { launch } from "../../../builder/vm/launch.ts";
import { MiB } from "../../../format/sizes.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeInitramfs } from "../../power/systems/make-initramfs.ts";

/** The gateway's script on real LVM, ext4 and XFS; what GRUB reads afterwards is read by GRUB's own code. */
const folder = mkdtempSync(join(tmpdir(), "dualroot-grow-"));
afterAll(() => rmSync(folder, { recursive: true }));

const diskBytes = 1800 * MiB;
const disk = join(folder, "disk.img");
const otherDisk = join(folder, "other.img");
const archive = join(folder, "files.tar");
const initrd = join(folder, "initrd.img");
const large = randomBytes(64 * MiB);
const kernelFile = randomBytes(4 * MiB);
const slotCfg = "set dualroot_kernel='/boot/vmlinuz'\n";
const extentBytes = 4 * MiB;
/** One extent's worth of the disk is LVM's own. */
const extents = Math.floor((diskBytes - MiB) / extentBytes);

beforeAll(async () => {
  for (const [file, bytes] of [
    [disk, diskBytes],
    [otherDisk, 600 * MiB],
  ] as const) {
    writeFileSync(file, "");
    truncateSync(file, bytes);
  }
  const tree = join(folder, "tree");
  cpSync(fileURLToPath(new URL("../../../rootfs-overlay", import.meta.url)), tree, {
    recursive: true,
    verbatimSymlinks: true,
  });
  mkdirSync(join(tree, "test/slot/boot"), { recursive: true });
  writeFileSync(join(tree, "test/slot/boot/vmlinuz"), kernelFile);
  writeFileSync(join(tree, "test/slot/boot/slot.cfg"), slotCfg);
  writeFileSync(join(tree, "test/large"), large);
  const filesystems = (["root_a", "root_b", "image", "data"] as const).map((name, index) =>
    makeCommand({
      kind: "make-filesystem",
      title: "",
      device: `/dev/mapper/VA-${name}`,
      type: name === "data" ? "xfs" : "ext4",
      uuid: `0000000${index}-1111-4222-8333-444455556666`,
      label: name,
      readByGrub: name !== "data",
    }),
  );
  writeFileSync(
    join(tree, "test/make-filesystems.sh"),
    filesystems.map(([command, args]) => [command, ...args].join(" ")).join("\n"),
  );
  const system = { format: 1, name: "demo", version: "2", counter: 1, slot: "A", volumeGroup: "VA" };
  writeFileSync(join(tree, "etc/dualroot/system.json"), JSON.stringify(system, undefined, 2));
  writeFileSync(
    join(tree, "etc/dualroot/volumes"),
    "root_a ext4 / 1 A\nroot_b ext4 / 1 B\nimage ext4 /image 0 -\ndata xfs /data 2 -\nabsent ext4 /absent 5 -\nnot a line\n",
  );
  execFileSync("tar", ["-C", tree, "-cf", archive, "."]);
  const here = fileURLToPath(new URL("guest.sh", import.meta.url));
  const systems = fileURLToPath(new URL("../../power/systems/", import.meta.url));
  await makeInitramfs(initrd, await debianKernel("cloud-amd64"), {
    filesystems: ["ext4", "xfs"],
    init: relative(systems, here),
    programs: "mke2fs mkfs.ext4 mkfs.xfs resize2fs dumpe2fs e2fsck xfs_growfs xfs_repair tar".split(" "),
  });
});

/** Boots the guest for one phase, to its end or its power cut, and gives what it said. */
async function run(phase: string): Promise<string[]> {
  const kernel = await debianKernel("cloud-amd64");
  const drive = { format: "raw", readOnly: false, disposable: true } as const;
  const machine = await launch(
    {
      name: "grow-volumes",
      machine: "q35",
      memoryBytes: 512 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [
        { ...drive, file: disk, serial: "gateway" },
        { ...drive, file: archive, serial: "files", readOnly: true },
        { ...drive, file: otherDisk, serial: "other" },
      ],
      nics: [],
      boot: {
        kernel: kernel.image,
        initrd,
        append: `console=ttyS0 quiet panic=-1 rauc.slot=A grow.phase=${phase}`,
      },
      display: "none",
      onReset: "stop",
    },
    { accelerator: "tcg", consoleLog: `${disk}.log` },
  );
  try {
    // Cut or ended: either way the guest says so before QEMU ends.
    const ending = await machine.console
      .waitFor(/^GROW (phase ended|cut at .*)\r?\n/m, 900)
      .catch(() => undefined);
    const lines = machine.console.lines.map(({ text }) => text.trim());
    if (!ending) throw new Error(`${phase} did not end:\n${lines.join("\n")}`);
    await machine.ended(60);
    return lines;
  } finally {
    await machine.kill();
  }
}

/** `GROW WORD ...` lines of one report. */
function reported(lines: readonly string[], word: string) {
  const found = lines
    .filter((line) => line.startsWith(`GROW ${word}`))
    .map((line) => line.slice(`GROW ${word}`.length));
  const volumes = Object.fromEntries(
    found.flatMap((line) => {
      const [, name, mebibytes] = /^ volume (\S+) +([\d.]+)$/.exec(line) ?? [];
      return name ? [[name, (Number(mebibytes) * MiB) / extentBytes]] : [];
    }),
  );
  const filesystems = Object.fromEntries(
    found.flatMap((line) => {
      const [, name, blocks, features] = /^ filesystem (\S+) (\d+) blocks(.*)$/.exec(line) ?? [];
      return name ? [[name, { extents: (Number(blocks) * 4096) / extentBytes, features }]] : [];
    }),
  );
  const exit = found.map((line) => /^: (exit .*)$/.exec(line)?.[1]).find((text) => text !== undefined);
  const mounts = found
    .map((line) => /^ mounts (.*)$/.exec(line)?.[1]?.trim())
    .find((text) => text !== undefined);
  return { volumes, filesystems, exit, mounts, free: found.find((line) => line.startsWith(" free")) };
}

function grubReads(device: string, image: string, command: string, path: string): Buffer {
  return execFileSync("grub-fstest", ["-r", device, image, command, path], { maxBuffer: 256 * MiB });
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What the third boot said. */
let finished: string[];

describe("after the commit", () => {
  test("cuts between volume and filesystem: the next run finishes both, slots equal, nothing left over", async () => {
    expect((await run("cut-slot")).join("\n")).toMatch(/^GROW cut at resize2fs$/m);
    expect((await run("cut-data")).join("\n")).toMatch(/^GROW cut at xfs_growfs$/m);
    finished = await run("finish");

    const cut = reported(finished, "start");
    // Only the filesystem of data is behind: its volume had its share already.
    expect(cut.free).toBe(" free 0");
    expect(cut.filesystems["data"]!.extents).toBe(80);
    const { volumes, filesystems, exit } = reported(finished, "finished");
    expect(exit).toBe("exit 0, events 1");
    expect(volumes["root_a"]).toBe(volumes["root_b"]);
    expect(volumes["image"]).toBe(8);
    expect(Object.values(volumes).reduce((sum, count) => sum + count, 0)).toBe(extents);
    for (const name of ["root_a", "root_b", "image", "data"])
      expect(filesystems[name]!.extents, name).toBe(volumes[name]);
    // What the slots got before the first cut, they got by the plan.
    const free = extents - 12 - 12 - 8 - 80 - 40;
    const first = planGrowth(
      [
        { name: "root_a", extents: 12, weight: 1, slot: "A" },
        { name: "root_b", extents: 12, weight: 1, slot: "B" },
        { name: "image", extents: 8, weight: 0 },
        { name: "data", extents: 80, weight: 2 },
      ],
      free,
    );
    expect(volumes["root_a"]).toBeGreaterThanOrEqual(12 + first.get("root_a")!);
  }, 1_200_000);

  test("features stay those that GRUB 2.02 knows; nobody mounted stays mounted", () => {
    const [before, after] = ["start", "mended"].map((word) => reported(finished, word));
    for (const name of ["root_a", "root_b", "image"])
      expect(after!.filesystems[name]!.features).toBe(before!.filesystems[name]!.features);
    expect(after!.filesystems["root_a"]!.features).not.toContain("meta_bg");
    expect(after!.mounts).toBe("root_a data");
  });

  test("a full group: nothing to do, no event", () => {
    for (const word of ["again", "full"]) expect(reported(finished, word).exit).toBe("exit 0, events 0");
  });

  test("a read-only filesystem, and a slot that is being written, wait for the next commit", () => {
    const [before, hindered, mended] = ["finished", "hindered", "mended"].map((word) =>
      reported(finished, word),
    );
    expect(hindered!.exit).toMatch(/^exit 1/);
    expect(finished.join("\n")).toContain("dualroot: cannot grow data: it is mounted read-only");
    expect(hindered!.volumes["data"]).toBeGreaterThan(before!.volumes["data"]!);
    expect(hindered!.filesystems["data"]).toEqual(before!.filesystems["data"]);
    expect(hindered!.volumes["root_b"]).toBe(hindered!.volumes["root_a"]);
    expect(hindered!.filesystems["root_a"]!.extents).toBe(hindered!.volumes["root_a"]);
    expect(hindered!.filesystems["root_b"]).toEqual(before!.filesystems["root_b"]);

    expect(mended!.exit).toBe("exit 0, events 1");
    for (const name of ["root_a", "root_b", "data"])
      expect(mended!.filesystems[name]!.extents, name).toBe(mended!.volumes[name]);
  });

  test("the history tells it, the filesystems are sound, and every byte is as it was", () => {
    const events = finished.filter((line) => line.startsWith('{"time"')).map((line) => JSON.parse(line));
    expect(events.length).toBeGreaterThanOrEqual(2);
    for (const event of events)
      expect(event).toMatchObject({
        event: "volumes-grown",
        slot: "A",
        message: expect.stringMatching(/ from \d+ to \d+ MiB/),
      });
    const said = (what: string): string[] => finished.filter((line) => line.startsWith(`GROW ${what}`));
    expect(said("e2fsck")).toEqual(["root_a", "root_b", "image"].map((name) => `GROW e2fsck ${name} 0`));
    expect(said("xfs_repair")).toEqual(["GROW xfs_repair 0"]);
    const sum = digest(kernelFile).slice(0, 16);
    expect(said("slot")).toEqual([`GROW slot A ${sum}`, `GROW slot B ${sum}`]);
  });

  test("GRUB reads kernel and slot.cfg from slots in several segments, and a file that lies in both", () => {
    const segments = finished.find((line) => line.startsWith("GROW segments root_a"));
    expect(Number(segments?.split(/ +/).at(-1))).toBeGreaterThanOrEqual(2);
    for (const slot of ["a", "b"]) {
      const device = `lvm/VA-root_${slot}`;
      expect(grubReads(device, disk, "cat", "/boot/slot.cfg").toString()).toBe(slotCfg);
      expect(digest(grubReads(device, disk, "cat", "/boot/vmlinuz"))).toBe(digest(kernelFile));
    }
    // Larger than all of the slot's first segment.
    expect(digest(grubReads("lvm/VA-root_a", disk, "cat", "/boot/large"))).toBe(digest(large));
  });
});

test("a slot without room for more descriptor blocks grows all the same, and GRUB finds the new ones", () => {
  const lines = finished;
  expect(reported(lines, "descriptors").exit).toBe("exit 0");
  expect(lines.find((line) => line.startsWith("GROW features"))).toContain("meta_bg");
  const groups = lines.flatMap((line) => /^GROW group (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  // One descriptor block of 1 KiB covers 32 groups.
  expect(Math.max(...groups)).toBeGreaterThanOrEqual(32);
  for (const [index] of groups.entries()) {
    const boot = `/${index + 1}/boot`;
    expect(grubReads("lvm/VB-root_a", otherDisk, "cat", `${boot}/slot.cfg`).toString()).toBe(slotCfg);
    expect(digest(grubReads("lvm/VB-root_a", otherDisk, "cat", `${boot}/vmlinuz`))).toBe(digest(kernelFile));
  }
});
