import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeAll, expect, test } from "vitest";
import { sha256File } from "../../../agent/system/files.ts";
import { tarExtractOptions } from "../../../agent/system/tar-options.ts";
import type { Helper } from "../../../builder/helper/helper.ts";
import { openHelper, type HelperOptions } from "../../../builder/helper/open-helper.ts";
import { MiB } from "../../../format/sizes.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeLuks } from "../../fixtures/make-luks.ts";
import { makeTree, treeFacts } from "./tree.ts";

let scratch: string;
let kernel: { image: string };
const open: Helper[] = [];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-helper-"));
  kernel = { image: (await debianKernel("amd64")).image };
  return () => rmSync(scratch, { recursive: true });
});
afterEach(async () => {
  for (const helper of open.splice(0)) await helper.kill();
});

async function start(options: Partial<HelperOptions> = {}): Promise<Helper> {
  const helper = await openHelper({ disks: [], kernel, ...options });
  open.push(helper);
  return helper;
}

function newDisk(name: string, bytes: number): string {
  const file = join(scratch, name);
  writeFileSync(file, "");
  truncateSync(file, bytes);
  return file;
}

async function text(helper: Helper, ...argv: [string, ...string[]]): Promise<string> {
  return (await helper.run(argv)).stdout.toString();
}

const packOptions = [
  ...["--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner", "--sort=name"],
  // To root, XFS shows each ACL a second time, in the form it has on the disk.
  "--xattrs-exclude=trusted.SGI_ACL_*",
];

test("volumes with ext4 and XFS are made, filled and read back with everything a file can have; :ro stays as it was", async () => {
  const disk = newDisk("lvm.img", 1200 * MiB);
  const tree = join(scratch, "tree");
  await makeTree(tree);
  const archive = join(scratch, "tree.tar");
  execFileSync("tar", [...packOptions, "-C", tree, "-cf", archive, "."]);

  const maker = await start({ disks: [{ file: disk }] });
  expect(maker.facts.devices).toEqual(["/dev/vda"]);
  const commands: [string, ...string[]][] = [
    ["sgdisk", "--new=1:0:+1M", "--typecode=1:ef02", "--new=2:0:0", "--typecode=2:8e00", "/dev/vda"],
    ["pvcreate", "-q", "/dev/vda2"],
    ["vgcreate", "-q", "VA", "/dev/vda2"],
    ["lvcreate", "-q", "-L", "400M", "-n", "one", "VA"],
    ["lvcreate", "-q", "-l", "100%FREE", "-n", "two", "VA"],
    ["mkfs.ext4", "-q", "/dev/VA/one"],
    ["mkfs.xfs", "-q", "/dev/VA/two"],
    ["mkdir", "/mnt/one", "/mnt/two"],
    ["mount", "/dev/VA/one", "/mnt/one"],
    ["mount", "/dev/VA/two", "/mnt/two"],
  ];
  for (const argv of commands) await maker.run(argv);
  for (const volume of ["one", "two"])
    await maker.run(["tar", "-C", `/mnt/${volume}`, ...tarExtractOptions, "-f", "-"], {
      stdin: { file: archive },
    });
  // Closing unmounts: nothing of it may be lost.
  await maker.close();

  const before = await sha256File(disk);
  const reader = await start({ disks: [{ file: disk, readOnly: true }] });
  await reader.run(["vgchange", "-qay", "VA"]);
  for (const [volume, type] of [
    ["one", "ext4"],
    ["two", "xfs"],
  ] as const) {
    expect((await text(reader, "blkid", "-s", "TYPE", "-o", "value", `/dev/VA/${volume}`)).trim()).toBe(type);
    await reader.run(["mkdir", "-p", `/mnt/${volume}`]);
    await reader.run(["mount", `/dev/VA/${volume}`, `/mnt/${volume}`]);
    await reader.run(["rmdir", `/mnt/${volume}/lost+found`], { acceptExitCodes: [1] });
    const copy = join(scratch, `${volume}.tar`);
    const stdout = createWriteStream(copy);
    await reader.run(["tar", "-C", `/mnt/${volume}`, ...packOptions, "-c", "."], { stdout });
    await new Promise((resolve) => void stdout.end(resolve));
    const unpacked = join(scratch, volume);
    mkdirSync(unpacked);
    execFileSync("tar", ["-C", unpacked, ...tarExtractOptions, "-f", copy]);
    expect(treeFacts(unpacked)).toEqual(treeFacts(tree));
  }
  // To the guest it is a disk like any other, journals included; the file does not notice.
  await reader.run([
    "sh",
    "-c",
    "umount /mnt/one && mkfs.ext4 -qF /dev/VA/one && dd if=/dev/zero of=/dev/vda bs=1M count=4 && sync",
  ]);
  await reader.close();
  expect(await sha256File(disk)).toBe(before);
});

test("commands keep to themselves: exit codes, both outputs to the byte, words, input; one machine serves them all", async () => {
  const helper = await start();
  const argv = ["printf", "%s|", "two  words", "line\nfeed", "it's", "$HOME `id`", "", "ü"] as const;
  expect(await text(helper, ...argv)).toBe("two  words|line\nfeed|it's|$HOME `id`||ü|");
  const both = await helper.run(["sh", "-c", "echo out; echo err >&2; echo more >/dev/stderr; exit 3"], {
    acceptExitCodes: [3],
  });
  expect([both.exitCode, both.stdout.toString(), both.stderr.toString()]).toEqual([
    3,
    "out\n",
    "err\nmore\n",
  ]);
  await expect(helper.run(["sh", "-c", "echo why >&2; exit 4"])).rejects.toMatchObject({
    message: "sh failed in the helper with exit code 4",
    stderrTail: "why\n",
  });
  const absent = await helper.run(["no-such-program"], { acceptExitCodes: "any" });
  expect([absent.exitCode, absent.stderr.toString()]).toEqual([127, expect.stringContaining("not found")]);
  // A word of the helper's own shell is no program.
  expect((await helper.run(["exit", "0"], { acceptExitCodes: "any" })).exitCode).toBe(127);

  const bytes = randomBytes(300_001);
  const echoed = await helper.run(["sh", "-c", "tee /dev/stderr"], { stdin: bytes });
  expect(echoed.stdout.equals(bytes)).toBe(true);
  expect(echoed.stderr.equals(bytes)).toBe(true);
  expect(await text(helper, "cat")).toBe("");
  expect((await helper.run(["wc", "-c"], { stdin: "" })).stdout.toString().trim()).toBe("0");
  // One that does not read its input, which is larger than all buffers between.
  expect(
    (await helper.run(["head", "-c", "3"], { stdin: Buffer.alloc(5_000_000, "x") })).stdout.toString(),
  ).toBe("xxx");
  await helper.run(["sh", "-c", "true <&0"], { stdin: Buffer.alloc(5_000_000) });

  await helper.run(["mkdir", "/run/kept"]);
  for (let count = 0; count < 40; count++) await helper.run(["touch", `/run/kept/${count}`]);
  expect((await text(helper, "ls", "/run/kept")).split("\n").filter(Boolean)).toHaveLength(40);
  await expect(helper.run(["head", "-c", "2000", "/dev/zero"], { maximumBytes: 1000 })).rejects.toThrow(
    "more than",
  );
  expect(await text(helper, "echo", "still here")).toBe("still here\n");
});

test("two machines restored from one state have nothing random in common, and know the time", async () => {
  const script =
    "for i in 1 2 3 4 5 6; do cat /proc/sys/kernel/random/uuid; done; mkswap /dev/vda | grep -o 'UUID=.*'; date +%s";
  const drawn: string[][] = [];
  for (const name of ["left.img", "right.img"]) {
    const helper = await start({ disks: [{ file: newDisk(name, 16 * MiB) }] });
    expect(helper.facts.start).toBe("restored");
    const lines = (await text(helper, "sh", "-c", script)).trim().split("\n");
    expect(Math.abs(Number(lines.pop()) - Date.now() / 1000)).toBeLessThan(60);
    expect(new Set(lines).size).toBe(7);
    drawn.push(lines);
    await helper.kill();
  }
  expect(new Set(drawn.flat()).size).toBe(14);
});

test("a saved state that is damaged costs a boot, nothing else", async () => {
  const before = process.env["DUALROOT_CACHE"];
  // Of its own: other tests use the common one at the same time.
  const cache = join(scratch, "cache");
  process.env["DUALROOT_CACHE"] = cache;
  try {
    const states = () => readdirSync(join(cache, "helper")).filter((name) => name.startsWith("state-"));
    const first = await start();
    expect(first.facts.start).toBe("restored");
    await first.kill();
    expect(states()).toHaveLength(1);
    truncateSync(join(cache, "helper", states()[0]!, "devices"), 100_000);
    const helper = await start({ disks: [{ file: newDisk("cold.img", 8 * MiB) }] });
    expect(helper.facts.start).toBe("cold");
    expect(await text(helper, "cat", "/sys/block/vda/size")).toBe("16384\n");
    expect(states()).toEqual([]);
  } finally {
    if (before === undefined) delete process.env["DUALROOT_CACHE"];
    else process.env["DUALROOT_CACHE"] = before;
  }
});

test("hundreds of megabytes pass through little memory, at the reader's pace", async () => {
  const helper = await start();
  const before = process.memoryUsage().rss;
  let most = 0;
  let received = 0;
  const slow = new Writable({
    highWaterMark: 64 * 1024,
    write(chunk: Buffer, _, done) {
      received += chunk.length;
      most = Math.max(most, process.memoryUsage().rss);
      // Now and then much slower than the machine writes.
      setTimeout(done, received % (16 * MiB) < chunk.length ? 200 : 0);
    },
  });
  const sent = 256 * MiB;
  await helper.run(["head", "-c", String(sent), "/dev/zero"], { stdout: slow });
  expect(received).toBe(sent);
  expect(most - before).toBeLessThan(96 * MiB);
  const big = newDisk("big", 64 * MiB);
  expect((await helper.run(["wc", "-c"], { stdin: { file: big } })).stdout.toString().trim()).toBe(
    String(64 * MiB),
  );
});

test("QEMU's disk formats are written and read; images that name other files need leave", async () => {
  const formats = ["qcow2", "vmdk", "vdi", "vpc", "vhdx"] as const;
  const files = formats.map((format) => join(scratch, `disk.${format}`));
  for (const [index, format] of formats.entries())
    execFileSync("qemu-img", ["create", "-q", "-f", format, files[index]!, "64M"]);
  const writer = await start({ disks: files.map((file) => ({ file })) });
  for (const [index, format] of formats.entries())
    await writer.run(["mkfs.ext4", "-q", "-L", format, writer.facts.devices[index]!]);
  await writer.close();

  const overlay = join(scratch, "overlay.qcow2");
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", files[0]!, "-F", "qcow2", overlay]);
  const flat = join(scratch, "flat.vmdk");
  const stream = join(scratch, "stream.vmdk");
  for (const [subformat, file] of [
    ["monolithicFlat", flat],
    ["streamOptimized", stream],
  ] as const)
    execFileSync("qemu-img", ["convert", "-O", "vmdk", "-o", `subformat=${subformat}`, files[1]!, file]);
  for (const file of [overlay, flat]) {
    await expect(start({ disks: [{ file, readOnly: true }] })).rejects.toMatchObject({
      problems: [{ code: "helper-disk-names-others" }],
    });
  }
  const all = [...files, stream, overlay, flat];
  const digests = await Promise.all(all.map((file) => sha256File(file)));
  const reader = await start({
    disks: all.map((file) => ({ file, readOnly: true, allowBackingFile: file === overlay || file === flat })),
  });
  const labels: string[] = [];
  for (const device of reader.facts.devices) {
    labels.push((await text(reader, "blkid", "-s", "LABEL", "-o", "value", device)).trim());
    await reader.run(["mount", device, "/mnt"]);
    await reader.run(["sh", "-c", "echo mine >/mnt/mine"]);
    await reader.run(["umount", "/mnt"]);
  }
  expect(labels).toEqual([...formats, "vmdk", "qcow2", "vmdk"]);
  await reader.close();
  expect(await Promise.all(all.map((file) => sha256File(file)))).toEqual(digests);
});

test.each([
  ["nothing.img", "helper-disk-missing"],
  [".", "helper-disk-unreadable"],
  ["broken.qcow2", "helper-disk-unreadable"],
  ["pages.luks", "helper-disk-unreadable"],
])("%s is refused before any machine starts", async (name, code) => {
  writeFileSync(join(scratch, "broken.qcow2"), Buffer.from("514649fb000000ff", "hex"));
  if (name === "pages.luks") makeLuks(join(scratch, name), "1M");
  const disks = [{ file: join(scratch, name), readOnly: true }];
  await expect(openHelper({ disks, kernel })).rejects.toMatchObject({ problems: [{ code }] });
});
