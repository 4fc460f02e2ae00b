import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { sha256File } from "../../../agent/system/files.ts";
import { UserError } from "../../../format/errors.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { packSource } from "../../unit/builder/inputs/pack-source.ts";
import { makeDisks, makeOva, makeSystem } from "./machine-images.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-images-"));
const before = process.env["DUALROOT_HELPER_KERNEL"];
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  if (before === undefined) delete process.env["DUALROOT_HELPER_KERNEL"];
  else process.env["DUALROOT_HELPER_KERNEL"] = before;
});
const program = fileURLToPath(new URL("../../../builder/dualroot.mjs", import.meta.url));
let expected: string;
let packs = 0;

beforeAll(async () => {
  const kernel = await debianKernel("cloud-amd64");
  process.env["DUALROOT_HELPER_KERNEL"] = kernel.image;
  await makeSystem(folder);
  await makeDisks(folder, kernel);
  expected = (await pack("root")).sha256;
});

async function pack(name: string, options: { allowBackingFile?: boolean } = {}) {
  const scratch = join(folder, `pack-${packs++}`);
  mkdirSync(scratch);
  return await packSource(join(folder, name), join(scratch, "rootfs.tar.xz"), {
    scratch,
    cacheFolder: join(folder, "cache"),
    ...options,
  });
}

async function refusal(name: string): Promise<{ code: string; message: string }> {
  try {
    await pack(name);
  } catch (error) {
    if (error instanceof UserError) return error.problems[0]!;
    throw error;
  }
  throw new Error(`${name} was taken`);
}

function convert(from: string, format: string, to: string, ...options: string[]): void {
  execFileSync("qemu-img", [
    "convert",
    "-f",
    "raw",
    "-O",
    format,
    ...options,
    join(folder, from),
    join(folder, to),
  ]);
}

test("a machine that lost its power, on LVM with ext4 and XFS: the same bytes as its folder, and the image stays as it was", async () => {
  const digest = await sha256File(join(folder, "one.raw"));
  const packed = await pack("one.raw");
  expect(packed.sha256).toBe(expected);
  expect(packed.fromCache).toBe(false);
  expect(await sha256File(join(folder, "one.raw"))).toBe(digest);
  // Nothing is read but single files.
  expect(await pack("one.raw")).toEqual({ ...packed, fromCache: true });
});

/** Short ones first: the others take QEMU's drivers, not ours, to other bytes of the same disk. */
const formats: [string, string, string[]][] = [
  ["qcow2", "qcow2", ["-c"]],
  ["vmdk", "flat.vmdk", ["-o", "subformat=monolithicFlat"]],
  ["vmdk", "stream.vmdk", ["-o", "subformat=streamOptimized"]],
  ["vmdk", "sparse.vmdk", ["-o", "subformat=monolithicSparse"]],
  ["vdi", "vdi", []],
  ["vpc", "vhd", []],
  ["vhdx", "vhdx", []],
];
const isLong = Boolean(process.env["DUALROOT_LONG"]);

test.each(isLong ? formats : formats.slice(0, 2))(
  "the same machine as %s, %s, is told by its content",
  async (format, name, options) => {
    convert("one.raw", format, `one.${name}`, ...options);
    expect((await pack(`one.${name}`)).sha256).toBe(expected);
  },
);

test("an OVA with two disks is read where it lies, its checksums verified", async () => {
  makeOva(folder);
  expect((await pack("machine.ova")).sha256).toBe(expected);
  const damaged = readFileSync(join(folder, "machine.ova"));
  damaged[damaged.length - 200_000]! ^= 1;
  writeFileSync(join(folder, "damaged.ova"), damaged);
  expect(await refusal("damaged.ova")).toMatchObject({
    code: "ova-checksum-wrong",
    message: expect.stringMatching(/^machine-disk[12]\.vmdk in the OVA has the SHA256/),
  });
});

test("an image with a backing file is refused, until the release allows it", async () => {
  convert("one.raw", "qcow2", "base.qcow2");
  execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base.qcow2", "top.qcow2"], {
    cwd: folder,
  });
  expect(await refusal("top.qcow2")).toMatchObject({
    code: "disk-image-names-others",
    message: expect.stringContaining("base.qcow2"),
  });
  expect((await pack("top.qcow2", { allowBackingFile: true })).sha256).toBe(expected);
});

test.each([
  ["roots.raw", "disk-with-several-roots", "/dev/vda1 (ext4, 16 MiB); /dev/vda2 (ext4"],
  ["luks.raw", "disk-encrypted", "/dev/vda1 (crypto_LUKS"],
  ["data.raw", "disk-without-root", '"data"'],
  ["errors.raw", "disk-filesystem-damaged", "says that it has errors"],
  ["half.raw", "disk-volumes-incomplete", "span"],
])("%s is refused: %s", async (name, code, words) => {
  expect(await refusal(name)).toMatchObject({ code, message: expect.stringContaining(words) });
});

test.each(formats.filter(([, name]) => name !== "flat.vmdk"))(
  "%s, %s, that was cut off is refused before anything is read from it",
  async (format, name, options) => {
    const cut = join(folder, `cut.${name}`);
    convert("one.raw", format, `cut.${name}`, ...options);
    truncateSync(cut, Math.floor(statSync(cut).size * 0.7));
    expect(await refusal(`cut.${name}`)).toMatchObject({ code: "disk-image-damaged" });
  },
);

test("a flat VMDK whose extent was cut off is refused", async () => {
  truncateSync(join(folder, "one.flat-flat.vmdk"), 1024 * 1024);
  expect(await refusal("one.flat.vmdk")).toMatchObject({
    code: "disk-image-damaged",
    message: expect.stringContaining("one.flat-flat.vmdk"),
  });
});

test("Ctrl-C while the disks are read leaves no machine and no file", async () => {
  const place = join(folder, "interrupted");
  mkdirSync(join(place, "tmp"), { recursive: true });
  writeFileSync(
    join(place, "release.yaml"),
    stringify({
      name: "demo",
      version: "1",
      compatible: "demo",
      counter: 1,
      sign: { key: "keys/release.key" },
      trustedKeys: ["keys/release.pub"],
      rootfs: { source: "../data.raw" },
    }),
  );
  const env = { ...process.env, TMPDIR: join(place, "tmp") };
  execFileSync(process.execPath, [program, "keygen", "keys", "--role", "release"], { cwd: place, env });
  const child = spawn(process.execPath, [program, "build", "release.yaml", "-o", "output"], {
    cwd: place,
    env,
    stdio: "ignore",
  });
  const closed = once(child, "close");
  while (machinesIn(place).length === 0 && child.exitCode === null) await sleep(10);
  expect(machinesIn(place)).toHaveLength(1);
  child.kill("SIGINT");
  expect((await closed)[0]).toBe(130);
  for (let tries = 0; tries < 100 && machinesIn(place).length > 0; tries++) await sleep(50);
  expect(machinesIn(place)).toEqual([]);
  // tsx keeps a cache of its own there.
  expect(readdirSync(join(place, "tmp")).filter((name) => !name.startsWith("tsx-"))).toEqual([]);
  expect(readdirSync(place).sort()).toEqual(["keys", "release.yaml", "tmp"]);
});

/** Process numbers of QEMUs whose sockets lie there. */
function machinesIn(place: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return words.startsWith("qemu-system") && words.includes(place);
    } catch {
      return false;
    }
  });
}
