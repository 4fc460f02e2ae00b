import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ArchiveAttributes } from "../../../../agent/old-system/archive-attributes.ts";
import { compareAttributes } from "../../../../agent/old-system/compare-attributes.ts";
import { tarExtractOptions, tarMetadataOptions } from "../../../../agent/system/tar-options.ts";
import { silent } from "../../../../format/events.ts";

const long = "a/".repeat(70) + "deep";
/** Whatever a gateway's files may be called, and have. */
const script = `
  cd old
  printf x >plain; printf x >labelled; ln labelled link; ln -s nowhere symbolic
  mkdir -p 'with space' ${long}
  printf x >'back\\slash'; printf x >"$(printf 'new\\nline')"; printf x >"$(printf 'b\\303\\244ume \\377')"
  truncate -s 1M sparse; printf x | dd of=sparse bs=1 seek=500000 conv=notrunc status=none
  setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 plain
  setfattr -n user.bytes -v 0x000affff3d0a00 labelled
  setfattr -n user.empty labelled
  setfattr -n user.=odd%name -v text 'back\\slash'
  setfattr -n trusted.one -v 1 "$(printf 'new\\nline')" "$(printf 'b\\303\\244ume \\377')" sparse ${long} .
  setfattr -n trusted.long -v "0x$(head -c 3000 /dev/zero | od -An -v -tx1 | tr -d ' \\n')" 'with space'
  setfattr -h -n trusted.link -v 1 symbolic
  setfacl -m u:12345:rw plain; setfacl -d -m g:54321:rx 'with space'
  cd ..
  tar --create --file=archive.tar --directory=old --format=posix --sparse ${tarMetadataOptions.join(" ")} .
  tar ${tarExtractOptions.join(" ")} --file=archive.tar --directory=new`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-attributes-"));
  for (const name of ["old", "new"]) await mkdir(join(folder, name));
  execFileSync("bash", ["--norc", "-euc", script], { cwd: folder });
});
afterEach(() => rm(folder, { recursive: true }));

/** In pieces that end wherever it hurts. */
function read(pieceBytes: number): ArchiveAttributes {
  const bytes = execFileSync("cat", ["archive.tar"], { cwd: folder, maxBuffer: 2 ** 26 });
  const attributes = new ArchiveAttributes();
  for (let at = 0; at < bytes.length; at += pieceBytes) attributes.push(bytes.subarray(at, at + pieceBytes));
  return attributes;
}

const inNew = (command: string): Buffer =>
  execFileSync("bash", ["--norc", "-euc", command], { cwd: join(folder, "new") });

test("an archive names every attribute of every file, however it comes in pieces", () => {
  const { found } = read(100_000);
  expect(found.get("labelled")).toBe("user.bytes=000affff3d0a00;user.empty=");
  expect(found.get("link") ?? found.get("labelled")).toBe(found.get("labelled"));
  expect(found.get("back\\slash")).toBe("user.=odd%name=74657874");
  for (const path of ["new\nline", "b\u00c3\u00a4ume \u00ff", "sparse", long, "."])
    expect(found.get(path)).toBe("trusted.one=31");
  expect(found.get("symbolic")).toBe("trusted.link=31");
  expect(found.get("with space")).toMatch(/^[0-9a-f]{64}$/);
  expect(found.size).toBe(11);
  for (const pieceBytes of [13, 511, 513]) expect(read(pieceBytes).found).toEqual(found);
});

test("what tar restored is equal", async () => {
  await compareAttributes(read(65536).found, join(folder, "new"), silent);
});

test.each([
  ["another value", "setfattr -n user.bytes -v 0x00 labelled", /2 places, .*\/l(abelled|ink)/],
  ["one is gone", "setfattr -x security.capability plain", /1 places, .*\/plain/],
  ["all of a file's are gone", "setfattr -x trusted.one sparse", /1 places, .*\/sparse/],
  ["one too many", "setfattr -n user.new -v 1 'with space'", /1 places, .*with space/],
  ["a file that had none", `touch extra; setfattr -n user.new -v 1 extra`, /1 places, .*\/extra/],
  ["an ACL that changed", "setfacl -m u:12345:r plain", /1 places, .*\/plain/],
])("%s: is found", async (_, change, message) => {
  inNew(change);
  await expect(compareAttributes(read(65536).found, join(folder, "new"), silent)).rejects.toThrow(message);
});

test("an archive that makes no sense is refused, not believed", () => {
  const header = Buffer.alloc(512);
  header.write("name", 0);
  header.write("77777777777", 124);
  header.write("x", 156);
  expect(() => new ArchiveAttributes().push(header)).toThrow(/bytes of attributes for one file/);
});
