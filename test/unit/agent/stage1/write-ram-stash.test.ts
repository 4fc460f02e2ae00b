import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test, onTestFinished } from "vitest";
import { manifestName, packageFiles, signatureName, type Manifest } from "../../../../format/manifest.ts";
import { stashSchema } from "../../../../format/stash.ts";
import type { StashInput } from "../../../../agent/stage1/stash/stash-input.ts";
import { writeRamStash } from "../../../../agent/stage1/stash/write-ram-stash.ts";

const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

let scratch: string;
let input: StashInput;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "stash-"));
  const packageFolder = join(scratch, "package of today");
  mkdirSync(packageFolder);
  const files = Object.values(packageFiles).map((name) => {
    writeFileSync(join(packageFolder, name), `content of ${name}`);
    return { name, size: `content of ${name}`.length, sha256: sha256(`content of ${name}`) };
  });
  writeFileSync(join(packageFolder, manifestName), "the manifest");
  writeFileSync(join(packageFolder, signatureName), "the signature");
  input = {
    folder: join(scratch, "var/lib/dualroot/stash"),
    packageFolder,
    // writeStash reads only the list of files.
    manifest: { files } as unknown as Manifest,
    manifestSha256: sha256("the manifest"),
    identity: {
      format: 1,
      hostname: "gw",
      hosts: [],
      interfaces: [],
      dns: { servers: [], searchDomains: [] },
      users: [],
      groups: [],
      administrators: [],
      networkSource: "ifcfg",
    },
    writePreserved: async (path) => {
      writeFileSync(path, "preserved files");
    },
    facts: {
      disk: { name: "vda", sizeBytes: 1024 },
      oldRoot: { filesystemUuid: "u", filesystemType: "xfs", osName: "CentOS Linux 7 (Core)" },
      seed: "0123456789abcdef0123456789abcdef",
      consoles: ["console=ttyS0"],
      bootMethod: "kexec",
      trust: { keyId: "0123456789abcdef", role: "dev" },
      handedOverAt: 1,
    },
    signal: new AbortController().signal,
    onProgress: () => {},
  };
});

test("the stash holds the package by hard links, private, with digests that lead from one to the next", async () => {
  const { stashSha256 } = await writeRamStash(input);
  const stashText = readFileSync(join(input.folder, "stash.json"));
  expect(sha256(stashText)).toBe(stashSha256);
  const stash = stashSchema.parse(JSON.parse(stashText.toString()));
  for (const { name, sizeBytes, sha256: digest } of stash.files) {
    const inPackage = name !== "identity.json" && name !== "preserved.tar";
    const bytes = readFileSync(join(input.folder, inPackage ? "package" : "", name));
    expect({ name, sizeBytes: bytes.length, digest: sha256(bytes) }).toEqual({ name, sizeBytes, digest });
  }
  expect(stash.files).toHaveLength(input.manifest.files.length + 4);
  for (const name of [...Object.values(packageFiles), manifestName, signatureName]) {
    expect(statSync(join(input.folder, "package", name)).ino).toBe(
      statSync(join(input.packageFolder, name)).ino,
    );
  }
  for (const path of [input.folder, join(input.folder, "package")]) {
    expect(statSync(path).mode & 0o777).toBe(0o700);
  }
  for (const name of ["stash.json", "identity.json", "preserved.tar"]) {
    expect(statSync(join(input.folder, name)).mode & 0o777).toBe(0o600);
  }
});

test("a package on another filesystem is copied", async () => {
  const folder = mkdtempSync("/dev/shm/stash-");
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(statSync(folder).dev).not.toBe(statSync(input.packageFolder).dev);
  input.folder = join(folder, "stash");
  await writeRamStash(input);
  const copy = join(input.folder, "package", packageFiles.rootfs);
  expect(readFileSync(copy, "utf8")).toBe(`content of ${packageFiles.rootfs}`);
});

test("a file that changed since it was verified stops everything", async () => {
  writeFileSync(join(input.packageFolder, packageFiles.rootfs), "content of rootfs.tar.xx");
  await expect(writeRamStash(input)).rejects.toThrow(/rootfs\.tar\.xz is not what was verified before/);
});

test("an earlier stash is replaced whole", async () => {
  mkdirSync(join(input.folder, "package"), { recursive: true });
  writeFileSync(join(input.folder, "package/left-over"), "");
  chmodSync(input.folder, 0o755);
  await writeRamStash(input);
  expect(existsSync(join(input.folder, "package/left-over"))).toBe(false);
  expect(statSync(input.folder).mode & 0o777).toBe(0o700);
});

test("an interruption stops it between files", async () => {
  const controller = new AbortController();
  input.signal = controller.signal;
  input.onProgress = () => controller.abort(new Error("Ctrl-C"));
  await expect(writeRamStash(input)).rejects.toThrow("Ctrl-C");
  expect(existsSync(join(input.folder, "stash.json"))).toBe(false);
});
