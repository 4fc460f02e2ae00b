import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, expect, test } from "vitest";
import { parseManifest, readPackage } from "../../../../agent/package/read-package.ts";
import { verifyPackage } from "../../../../agent/package/verify-package.ts";
import { sha256Hex } from "../../../../format/digest.ts";
import { UserError } from "../../../../format/errors.ts";
import type { Manifest } from "../../../../format/manifest.ts";
import { signManifest } from "../../../../format/signature.ts";
import { exampleManifest } from "../example.ts";
import { keyPair } from "./key-pair.ts";

const scratch = mkdtempSync(join(tmpdir(), "dualroot-package-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const release = keyPair("release");
const development = keyPair("dev");
const stranger = keyPair("release");
const names = [
  "upgrade.sh",
  "vmlinuz-convert",
  "initramfs-convert.img",
  "partition-table.sgdisk",
  "rootfs.tar.xz",
] as const;

let count = 0;
/** A whole package of small files, really signed. */
function makePackage(word: string, key = release, change: (manifest: Manifest) => void = () => {}): string {
  const folder = join(scratch, `${word}-${count++}`);
  mkdirSync(folder);
  const files = names.map((name, index) => {
    const content = `${word}: the content of ${name} ${"x".repeat(1000 * index)}`;
    writeFileSync(join(folder, name), content);
    return { name, size: content.length, sha256: sha256Hex(content) };
  });
  const manifest = exampleManifest({ files, version: word });
  change(manifest);
  sign(folder, JSON.stringify(manifest), key);
  return folder;
}

function sign(folder: string, text: string, key = release): void {
  writeFileSync(join(folder, "manifest.json"), text);
  writeFileSync(
    join(folder, "manifest.json.sig"),
    JSON.stringify(signManifest(Buffer.from(text), key.privateKey)),
  );
}

async function refusal(work: Promise<unknown>): Promise<{ codes: string[]; text: string; exit: string }> {
  const error = await work.then(
    () => new Error("the package was accepted"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw error;
  return { codes: error.problems.map((problem) => problem.code), text: error.message, exit: error.exit };
}

const pinned = [release.trusted, development.trusted];
let good: string;
beforeEach(() => {
  good = makePackage("one");
});

test("a good package is accepted, with progress to the last byte, and nothing in it is touched", async () => {
  const before = snapshot(good);
  const progress: [number, number][] = [];
  const verified = await verifyPackage(good, pinned, {
    onProgress: (done, total) => progress.push([done, total]),
  });
  const bytes = readFileSync(join(good, "manifest.json"));
  expect(verified.manifest.version).toBe("one");
  expect(verified.manifestSha256).toBe(sha256Hex(bytes));
  expect(verified.key).toEqual(release.trusted);
  const total = verified.manifest.files.reduce((sum, file) => sum + file.size, 0);
  expect(progress.at(-1)).toEqual([total, total]);
  expect(snapshot(good)).toEqual(before);
});

test("digests that were measured while the files were written decide as those of the files do", async () => {
  const { files } = (await verifyPackage(good, pinned)).manifest;
  const measured = new Map(files.map(({ name, sha256 }) => [name as string, sha256]));
  expect((await verifyPackage(good, pinned, { measured })).manifest.files).toEqual(files);
  measured.set(files[0]!.name, "0".repeat(64));
  const { codes, text } = await refusal(verifyPackage(good, pinned, { measured }));
  expect(codes).toEqual(["file-mismatch"]);
  expect(text).toContain(files[0]!.name);
});

test("where a file is measured when it is read, its size is still looked at before", async () => {
  const path = join(good, "rootfs.tar.xz");
  const content = readFileSync(path);
  writeFileSync(path, Buffer.alloc(content.length));
  const lax = { contents: "when-used" } as const;
  expect((await verifyPackage(good, pinned, lax)).manifest.version).toBe("one");
  writeFileSync(path, content.subarray(1));
  expect((await refusal(verifyPackage(good, pinned, lax))).codes).toEqual(["file-truncated"]);
  writeFileSync(join(good, "manifest.json"), "{}");
  expect((await refusal(verifyPackage(good, pinned, lax))).codes).toEqual(["signature-invalid"]);
});

function snapshot(folder: string): unknown {
  return readdirSync(folder)
    .sort()
    .map((name) => [name, sha256Hex(readFileSync(join(folder, name))), statSync(join(folder, name)).mtimeMs]);
}

test.each(names)("%s missing, cut off, too long, flipped by one bit, or a folder", async (name) => {
  const path = join(good, name);
  const content = readFileSync(path);
  const check = async (code: string): Promise<void> => {
    const { codes, text, exit } = await refusal(verifyPackage(good, pinned));
    expect([codes, exit]).toEqual([[code], "untrusted"]);
    expect(text).toContain(name);
  };
  rmSync(path);
  await check("file-missing");
  mkdirSync(path);
  await check("file-missing");
  rmSync(path, { recursive: true });
  writeFileSync(path, content.subarray(0, -1));
  await check("file-truncated");
  writeFileSync(path, Buffer.concat([content, Buffer.from("x")]));
  await check("file-too-long");
  const flipped = Buffer.from(content);
  flipped[Math.floor(flipped.length / 2)]! ^= 0x10;
  writeFileSync(path, flipped);
  await check("file-mismatch");
  writeFileSync(path, content);
  expect((await verifyPackage(good, pinned)).manifest.version).toBe("one");
});

test.each(names)("%s swapped with another package's, both soundly signed", async (name) => {
  copyFileSync(join(makePackage("two"), name), join(good, name));
  const { codes, text } = await refusal(verifyPackage(good, pinned));
  expect(codes).toEqual(["file-mismatch"]);
  expect(text).toContain(`${name} was changed, or is another package's`);
});

test("two files of the package itself exchanged", async () => {
  const content = "the same length";
  const folder = makePackage("equal", release, (manifest) => {
    manifest.files[0] = { name: "upgrade.sh", size: 15, sha256: sha256Hex("THE SAME LENGTH") };
    manifest.files[1] = { name: "vmlinuz-convert", size: 15, sha256: sha256Hex(content) };
  });
  writeFileSync(join(folder, "upgrade.sh"), content);
  writeFileSync(join(folder, "vmlinuz-convert"), "THE SAME LENGTH");
  const { codes, text } = await refusal(verifyPackage(folder, pinned));
  expect(codes).toEqual(["file-swapped", "file-swapped"]);
  expect(text).toContain("upgrade.sh is really this package's vmlinuz-convert");
});

test("all wrong files are named at once", async () => {
  rmSync(join(good, "upgrade.sh"));
  writeFileSync(join(good, "rootfs.tar.xz"), "short");
  expect((await refusal(verifyPackage(good, pinned))).codes).toEqual(["file-missing", "file-truncated"]);
});

test("manifest or signature missing, damaged, too large, or another package's", async () => {
  const other = makePackage("two");
  const codes = async (folder: string): Promise<string[]> =>
    (await refusal(verifyPackage(folder, pinned))).codes;
  copyFileSync(join(other, "manifest.json"), join(good, "manifest.json"));
  expect(await codes(good)).toEqual(["signature-invalid"]);
  copyFileSync(join(other, "manifest.json.sig"), join(good, "manifest.json.sig"));
  expect(await codes(good)).toEqual(names.map(() => "file-mismatch"));
  for (const damaged of [
    "",
    "{}",
    "not json",
    `{"format":1,"keyId":"${"0".repeat(16)}"}`,
    "x".repeat(5000),
  ]) {
    writeFileSync(join(good, "manifest.json.sig"), damaged);
    expect(await codes(good)).toEqual(["signature-invalid"]);
  }
  rmSync(join(good, "manifest.json.sig"));
  expect(await codes(good)).toEqual(["signature-missing"]);
  writeFileSync(join(good, "manifest.json"), " ".repeat(1024 * 1024 + 1));
  expect(await codes(good)).toEqual(["manifest-too-large"]);
  rmSync(join(good, "manifest.json"));
  expect(await codes(good)).toEqual(["manifest-missing"]);
});

test("who signed: strangers never, development keys only where no release key is pinned or a person says so", async () => {
  const { codes, text } = await refusal(verifyPackage(makePackage("s", stranger), pinned));
  expect(codes).toEqual(["key-unknown"]);
  expect(text).toContain(stranger.trusted.keyId);
  const folder = makePackage("d", development);
  expect((await refusal(verifyPackage(folder, pinned))).codes).toEqual(["key-development"]);
  expect((await verifyPackage(folder, pinned, { allowDevelopmentKeys: true })).key.role).toBe("dev");
  expect((await verifyPackage(folder, [development.trusted])).key.role).toBe("dev");
  expect((await refusal(verifyPackage(folder, []))).codes).toEqual(["key-unknown"]);
  // A stranger who claims the id of a pinned key.
  const claimed = signManifest(readFileSync(join(good, "manifest.json")), stranger.privateKey);
  writeFileSync(
    join(good, "manifest.json.sig"),
    JSON.stringify({ ...claimed, keyId: release.trusted.keyId }),
  );
  expect((await refusal(verifyPackage(good, pinned))).codes).toEqual(["signature-invalid"]);
});

test("what a person says does not override the keys that were pinned on this gateway", async () => {
  const folder = makePackage("d", development);
  const own = { allowDevelopmentKeys: true, keysAre: "gateway" } as const;
  const { codes, text } = await refusal(verifyPackage(folder, pinned, own));
  expect(codes).toEqual(["key-development"]);
  expect(text).not.toContain("--allow-development-key");
  expect((await verifyPackage(good, pinned, own)).key.role).toBe("release");
  expect((await verifyPackage(folder, [development.trusted], own)).key.role).toBe("dev");
});

test("a soundly signed manifest of an unknown format, with unknown keys, or with a file twice", async () => {
  const text = readFileSync(join(good, "manifest.json"), "utf8");
  const manifest = JSON.parse(text) as Record<string, unknown>;
  const codes = async (value: unknown): Promise<string[]> => {
    sign(good, JSON.stringify(value));
    return (await refusal(verifyPackage(good, pinned))).codes;
  };
  expect(await codes({ ...manifest, format: 2, news: true })).toEqual(["manifest-format-unknown"]);
  expect(await codes({ ...manifest, news: true })).toEqual(["manifest-invalid"]);
  const files = manifest["files"] as unknown[];
  expect(await codes({ ...manifest, files: [files[0], ...files.slice(0, 4)] })).toEqual(["manifest-invalid"]);
  sign(good, "not json");
  expect((await refusal(verifyPackage(good, pinned))).codes).toEqual(["manifest-invalid"]);
});

test("inspect reads a package without a signature, and says what it is", async () => {
  rmSync(join(good, "manifest.json.sig"));
  const read = await readPackage(good);
  expect([read.manifest.version, read.signature]).toEqual(["one", undefined]);
});

test("any bytes give a manifest or a refusal, and a changed manifest never passes its signature", async () => {
  const bytes = readFileSync(join(good, "manifest.json"));
  let parsed = 0;
  let refused = 0;
  const parse = (input: Uint8Array): void => {
    try {
      expect(parseManifest(input).format).toBe(1);
      parsed++;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refused++;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), parse), { numRuns: 500, seed: 6 });
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => parse(Buffer.from(text))),
    { numRuns: 500, seed: 7 },
  );
  const position = fc.integer({ min: 0, max: bytes.length - 1 });
  const change = fc.record({
    position,
    removed: fc.integer({ min: 0, max: 40 }),
    added: fc.uint8Array({ maxLength: 20 }),
  });
  const mutate = ({
    position,
    removed,
    added,
  }: {
    position: number;
    removed: number;
    added: Uint8Array;
  }): Buffer => Buffer.concat([bytes.subarray(0, position), added, bytes.subarray(position + removed)]);
  fc.assert(
    fc.property(change, (one) => parse(mutate(one))),
    { numRuns: 2000, seed: 8 },
  );
  expect(refused).toBeGreaterThan(1000);
  expect(parsed).toBeGreaterThan(10);
  await fc.assert(
    fc.asyncProperty(change, async (one) => {
      const mutated = mutate(one);
      fc.pre(!mutated.equals(bytes));
      writeFileSync(join(good, "manifest.json"), mutated);
      expect((await refusal(verifyPackage(good, pinned))).codes).toEqual(["signature-invalid"]);
    }),
    { numRuns: 100, seed: 9 },
  );
});
