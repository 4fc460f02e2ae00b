import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { diskFormatAt } from "../../../../../builder/inputs/disk/disk-format-at.ts";
import { diskFormatOf, type DiskFormat } from "../../../../../builder/inputs/disk/disk-format.ts";
import { imageDisk } from "../../../../../builder/inputs/disk/image-disk.ts";
import { openSource } from "../../../../../builder/inputs/open-source.ts";
import { UserError } from "../../../../../format/errors.ts";
import { silent } from "../../../../../format/events.ts";
import { makeLuks } from "../../../../fixtures/make-luks.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-format-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const made: [DiskFormat, string, string[]][] = [
  ["qcow2", "qcow2", ["-f", "qcow2"]],
  ["vmdk", "sparse vmdk", ["-f", "vmdk"]],
  ["vmdk", "stream-optimised vmdk", ["-f", "vmdk", "-o", "subformat=streamOptimized"]],
  ["vmdk", "flat vmdk", ["-f", "vmdk", "-o", "subformat=monolithicFlat"]],
  ["vdi", "vdi", ["-f", "vdi"]],
  ["vhd", "dynamic vhd", ["-f", "vpc"]],
  ["vhd", "fixed vhd", ["-f", "vpc", "-o", "subformat=fixed"]],
  ["vhdx", "vhdx", ["-f", "vhdx"]],
];

async function codeOf(source: string): Promise<{ code: string; message: string }> {
  try {
    await openSource(source, {
      scratch: join(folder, "scratch"),
      digestOf: async () => "",
      cacheFolder: join(folder, "cache"),
      allowBackingFile: false,
      report: silent,
    });
  } catch (error) {
    if (error instanceof UserError) return error.problems[0]!;
    throw error;
  }
  throw new Error("it was taken");
}

async function formatOf(file: string) {
  return await diskFormatAt(file, { offset: 0, sizeBytes: statSync(file).size });
}

describe("a disk image", () => {
  it.each(made)("is told by its content: %s, %s", async (format, name, options) => {
    const file = join(folder, name);
    execFileSync("qemu-img", ["create", "-q", ...options, file, "8M"]);
    expect(await formatOf(file)).toBe(format);
  });

  it.each([
    ["a partition table", "printf 'label: dos\\n,4M,L\\n' | sfdisk -q \"$0\""],
    ["a GPT", "printf 'label: gpt\\n,4M,L\\n' | sfdisk -q \"$0\""],
    ["a filesystem without a table", 'mke2fs -q -t ext4 "$0"'],
  ])("is raw with %s", async (name, script) => {
    const file = join(folder, `${name}.img`);
    execFileSync("sh", ["-euc", `truncate -s 16M "$0"; ${script}`, file], {
      env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
    });
    expect(await formatOf(file)).toBe("raw");
  });

  it("is an OVA too, and no tar of a root filesystem", async () => {
    writeFileSync(join(folder, "machine.ovf"), "<Envelope/>");
    execFileSync("tar", ["-C", folder, "-cf", join(folder, "machine.ova"), "machine.ovf"]);
    expect((await codeOf(join(folder, "machine.ova"))).message).toContain("OVA");
    const tar = readFileSync(join(folder, "machine.ova"));
    expect(diskFormatOf(tar.subarray(0, 4096), tar.subarray(-512))).toBeUndefined();
  });

  it("is no archive that has a raw disk's mark by chance", () => {
    const archive = Buffer.alloc(4096);
    archive.writeUInt16LE(0xaa55, 510);
    expect(diskFormatOf(archive, Buffer.alloc(512))).toBe("raw");
    for (const [at, mark] of [
      [0, "\u001f\u008b"],
      [0, "\u00fd7zXZ\0"],
      [257, "ustar"],
    ] as const) {
      const copy = Buffer.from(archive);
      copy.write(mark, at, "latin1");
      expect(diskFormatOf(copy, Buffer.alloc(512))).toBeUndefined();
    }
  });

  it.each(made)("is taken as it is where nothing is wrong with it: %s, %s", async (format, name, options) => {
    const file = join(folder, `${name} to be taken`);
    execFileSync("qemu-img", ["create", "-q", ...options, file, "8M"]);
    const { disk } = await imageDisk({ name, file, format, allowBackingFile: false, report: silent });
    expect(disk).toMatchObject({ file, readOnly: true });
  });

  it("is refused where it is encrypted as a whole, before a machine looks at it", async () => {
    const [luks, qcow2] = [join(folder, "whole.luks"), join(folder, "encrypted.qcow2")];
    makeLuks(luks, "4M");
    const secret = [
      "--object",
      "secret,id=key,data=secret",
      "-o",
      "encrypt.format=aes,encrypt.key-secret=key",
    ];
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...secret, qcow2, "4M"]);
    for (const file of [luks, qcow2])
      expect(await codeOf(file)).toMatchObject({
        code: "disk-encrypted",
        message: `${file} is encrypted as a whole`,
      });
  });

  it("is never made out of any bytes with an exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), fc.uint8Array({ maxLength: 512 }), (head, tail) => {
        diskFormatOf(Buffer.from(head), Buffer.from(tail));
      }),
    );
  });
});
