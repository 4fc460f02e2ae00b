import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ByteReader } from "../../../../builder/rootfs/byte-reader.ts";
import { scanLayers } from "../../../../builder/inputs/image/scan-layers.ts";
import { readTar } from "../../../../builder/inputs/tar/read-tar.ts";
import { UserError } from "../../../../format/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-scan-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Archives made by real GNU tar; `-P` keeps what it would rather strip. */
function tarOf(name: string, args: string[]): Buffer {
  const file = join(folder, `${name}.tar`);
  execFileSync("tar", ["-P", "--no-unquote", "-C", folder, "-cf", file, ...args]);
  return readFileSync(file);
}

async function* chunked(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function codesOf(bytes: Uint8Array): Promise<[string, string][]> {
  try {
    await scanLayers([{ name: "test", open: () => chunked(bytes), mayLackEnd: false }], { whiteouts: false });
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems.map(({ code, message }) => [code, message]);
    throw error;
  }
}

const long = "n".repeat(255);
const oddNames = ["with space", "with\nnewline", "with\\backslash", "ünïcödé ☃", "-rf", "quote'\"", long];
mkdirSync(join(folder, "good"), { recursive: true });
for (const name of oddNames) writeFileSync(join(folder, "good", name), name);
mkdirSync(join(folder, "good", "d".repeat(200), "e".repeat(200)), { recursive: true });
writeFileSync(join(folder, "good", "d".repeat(200), "e".repeat(200), long), "far");
symlinkSync("/etc", join(folder, "good/link"));

describe("reading a root filesystem archive", () => {
  it.each(["gnu", "pax", "ustar"])("reads names of every kind in %s format", async (format) => {
    const names = format === "ustar" ? oddNames.filter((name) => name !== long) : oddNames;
    const archive = tarOf(`odd-${format}`, [
      `--format=${format}`,
      "--",
      ...names.map((name) => `./good/${name}`),
    ]);
    const found: string[] = [];
    for await (const { header } of readTar(new ByteReader(chunked(archive)), { mayLackEnd: false }))
      found.push(Buffer.from(header.path, "latin1").toString("utf8"));
    expect(found).toEqual(names.map((name) => `./good/${name}`));
    expect(await codesOf(archive)).toEqual([]);
  });

  it("leaves out the second form in which XFS shows an ACL, and nothing beside it", async () => {
    const names = ["trusted.SGI_ACL_FILE", "trusted.SGI_ACL_DEFAULT", "trusted.other", "user.note"];
    for (const name of names)
      execFileSync("setfattr", ["-n", name, "-v", "x", join(folder, "good/with space")]);
    const options = ["--format=pax", "--xattrs", "--xattrs-include=*", "./good/with space"];
    const bytes = tarOf("xfs", options);
    for (const name of names) expect(bytes.includes(`SCHILY.xattr.${name}=`)).toBe(true);
    for await (const { header } of readTar(new ByteReader(chunked(bytes)), { mayLackEnd: false }))
      expect([...header.xattrs.keys()].sort()).toEqual(["trusted.other", "user.note"]);
  });

  it("takes the whole seconds of a time, however near the next one is", async () => {
    writeFileSync(join(folder, "late"), "x");
    execFileSync("touch", ["-d", "@1600000000.999999999", join(folder, "late")]);
    const archive = tarOf("late", ["--format=pax", "./late"]);
    expect(archive.includes("mtime=1600000000.999999999\n")).toBe(true);
    for await (const { header } of readTar(new ByteReader(chunked(archive)), { mayLackEnd: false }))
      expect(header.modifiedAt).toBe(1_600_000_000);
  });

  it("reads sparse files of the old and the new kind, and what follows them", async () => {
    execFileSync(
      "sh",
      [
        "-c",
        "for i in 1 3 5 7 9 11 13 15; do printf x | dd of=sparse bs=1 seek=${i}00000 conv=notrunc status=none; done",
      ],
      { cwd: folder },
    );
    for (const format of ["gnu", "pax"]) {
      const archive = tarOf(`sparse-${format}`, [
        `--format=${format}`,
        "--sparse",
        "sparse",
        "good/with space",
      ]);
      const found: string[] = [];
      for await (const { header } of readTar(new ByteReader(chunked(archive)), { mayLackEnd: false }))
        found.push(header.path);
      expect(found).toEqual(["sparse", "good/with space"]);
    }
  });

  it("refuses an absolute path", async () => {
    expect(await codesOf(tarOf("absolute", [join(folder, "good/with space")]))).toEqual([
      ["rootfs-absolute-path", expect.stringContaining("good/with space")],
    ]);
  });

  it("refuses a path with ..", async () => {
    expect(await codesOf(tarOf("parent", ["good/../good/with space"]))).toEqual([
      ["rootfs-parent-path", expect.stringContaining("good/../good/with space")],
    ]);
  });

  it("refuses a path through a symbolic link of the archive", async () => {
    const archive = tarOf("through", [
      "--transform=s,^good/with space$,good/link/passwd,",
      "good/link",
      "good/with space",
    ]);
    expect(await codesOf(archive)).toEqual([
      ["rootfs-path-through-link", expect.stringContaining('behind the symbolic link "good/link"')],
    ]);
  });

  it("refuses an archive that is cut off or is none", async () => {
    const archive = tarOf("cut", ["good"]);
    const plain = tarOf("plain", ["--format=ustar", "good/with space"]);
    expect((await codesOf(Buffer.alloc(2048, "no tar here")))[0]?.[0]).toBe("rootfs-not-tar");
    expect((await codesOf(archive.subarray(0, 700)))[0]?.[0]).toBe("rootfs-not-tar");
    expect(await codesOf(plain.subarray(0, 512))).toEqual([
      ["rootfs-not-tar", expect.stringContaining("ends inside")],
    ]);
  });

  it("never throws anything but a UserError, whatever bytes of an archive are changed", async () => {
    const archive = tarOf("fuzz", ["--format=pax", "good"]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        async (changes) => {
          const copy = Buffer.from(archive);
          for (const [at, value] of changes) copy[at] = value;
          await codesOf(copy);
        },
      ),
      { numRuns: 200 },
    );
  });
});
