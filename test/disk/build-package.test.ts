import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { manifestSchema } from "../../format/manifest.ts";
import { decodeSgdiskBackup } from "../../format/partition-table.ts";
import { makeBootableRoot } from "../fixtures/bootable-root.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-build-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = fileURLToPath(new URL("../../builder/dualroot.mjs", import.meta.url));
const facts = fileURLToPath(new URL("../golden/plan/facts/centos.json", import.meta.url));

const release = {
  name: "demo",
  version: "2026.11",
  compatible: "demo-gateway",
  counter: 1,
  sign: { key: "keys/release.key" },
  trustedKeys: ["keys/release.pub"],
  rootfs: { source: "root" },
  compression: { xzLevel: 0 },
};

function dualroot(
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; umask?: string } = {},
) {
  const { status, stdout, stderr } = spawnSync(
    "sh",
    ["-c", `umask ${options.umask ?? "022"}; exec "$@"`, "sh", process.execPath, program, ...args],
    {
      cwd: options.cwd ?? folder,
      encoding: "utf8",
      env: { ...process.env, DUALROOT_CACHE: join(folder, "cache"), ...options.env },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return { status, stdout, stderr };
}

function releaseFile(name: string, changes: object): string {
  writeFileSync(join(folder, name), stringify({ ...release, ...changes }));
  return name;
}

beforeAll(async () => {
  await makeBootableRoot(folder);
  expect(dualroot(["keygen", "keys", "--role", "release"]).status).toBe(0);
  releaseFile("release.yaml", {});
});

describe("dualroot build", () => {
  beforeAll(() => {
    const built = dualroot(["build", "release.yaml", "-o", "out", "--json"]);
    expect(built.stderr).not.toContain("dualroot:");
    expect(built.status).toBe(0);
    expect(JSON.parse(built.stdout)).toMatchObject({
      ok: true,
      manifest: {
        name: "demo",
        target: { osName: "Test Linux 1", network: "networkd", rebuildInitramfs: "none" },
      },
    });
  });

  it("makes exactly the seven files, and leaves nothing else behind", () => {
    expect(readdirSync(join(folder, "out")).sort()).toEqual([
      "initramfs-convert.img",
      "manifest.json",
      "manifest.json.sig",
      "partition-table.sgdisk",
      "rootfs.tar.xz",
      "upgrade.sh",
      "vmlinuz-convert",
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
    expect(spawnSync("sh", ["-n", "out/upgrade.sh"], { cwd: folder }).status).toBe(0);
    const manifest = manifestSchema.parse(
      JSON.parse(readFileSync(join(folder, "out/manifest.json"), "utf8")),
    );
    const table = decodeSgdiskBackup(readFileSync(join(folder, "out/partition-table.sgdisk")));
    expect(table.diskSectors * 512).toBe(manifest.requirements.diskBytes);
  });

  it("makes the same bytes again: another folder, umask, time zone, locale, and nothing cached", () => {
    mkdirSync(join(folder, "else where"));
    const again = dualroot(["build", join("..", "release.yaml"), "-o", "again"], {
      cwd: join(folder, "else where"),
      umask: "077",
      env: {
        TZ: "Pacific/Auckland",
        LC_ALL: "C.UTF-8",
        DUALROOT_CACHE: join(folder, "another cache"),
        XZ_OPT: "-9",
      },
    });
    expect(again.status).toBe(0);
    for (const name of readdirSync(join(folder, "out"))) {
      expect([
        name,
        readFileSync(join(folder, "else where/again", name)).equals(readFileSync(join(folder, "out", name))),
      ]).toEqual([name, true]);
    }
  });

  it("is told by inspect, verify and plan", () => {
    expect(dualroot(["inspect", "out"]).stdout).toMatch(/VA-root_a +3 GiB +lvm +ext4 +A +\//);
    expect(dualroot(["inspect", "out", "--files"]).stdout).toContain("./usr/lib/dualroot/rootfs.sha256");
    expect(dualroot(["verify", "out", "--key", "keys/release.pub"])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("all 5 files are what was signed"),
    });
    expect(dualroot(["plan", "out", "--disk", facts])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("VA-root_a"),
    });
    expect(JSON.parse(dualroot(["plan", "out", "--disk", facts, "--json"]).stdout)).toMatchObject({
      format: 1,
      volumeGroup: "VA",
    });
    expect(JSON.parse(dualroot(["plan", "release.yaml", "--json"]).stdout)).toMatchObject({
      format: 1,
      target: { network: "networkd" },
      enableNetworkd: true,
    });
  });

  const damages: [string, string, (copy: string) => void][] = [
    ["missing", "file-missing", (copy) => rmSync(join(copy, "vmlinuz-convert"))],
    ["cut off", "file-truncated", (copy) => truncateSync(join(copy, "rootfs.tar.xz"), 1000)],
    ["too long", "file-too-long", (copy) => appendFileSync(join(copy, "upgrade.sh"), "\n")],
    ["one bit flipped", "file-mismatch", (copy) => flip(join(copy, "initramfs-convert.img"), 4711)],
    ["a flipped bit in the manifest", "signature-invalid", (copy) => flip(join(copy, "manifest.json"), 30)],
    ["no signature", "signature-missing", (copy) => rmSync(join(copy, "manifest.json.sig"))],
  ];
  it.each(damages)("is not trusted by verify: %s", (_, code, damage) => {
    const copy = join(folder, "copy");
    rmSync(copy, { recursive: true, force: true });
    cpSync(join(folder, "out"), copy, { recursive: true });
    damage(copy);
    expect(dualroot(["verify", "copy", "--key", "keys/release.pub"])).toMatchObject({
      status: 6,
      stderr: expect.stringContaining(`[${code}]`),
    });
  });

  it("is not trusted with another key", () => {
    dualroot(["keygen", "strangers", "--role", "release"]);
    expect(dualroot(["verify", "out", "--key", "strangers/release.pub"])).toMatchObject({
      status: 6,
      stderr: expect.stringContaining("[key-unknown]"),
    });
    const file = releaseFile("stranger.yaml", { sign: { key: "strangers/release.key" } });
    expect(dualroot(["plan", file])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("[signing-key-not-trusted]"),
    });
  });

  const refusals: [string, string, string][] = [
    ["no kernel", "rm root/boot/vmlinuz-*", "rootfs-without-kernel"],
    [
      "no modules",
      "rm root/usr/lib/modules/*/modules.dep root/lib/modules/*/modules.dep 2>/dev/null || :",
      "rootfs-without-modules",
    ],
    ["no initramfs", "rm root/boot/initrd*", "rootfs-without-initramfs"],
    [
      "an initramfs without LVM that nothing can rebuild",
      "for f in root/boot/initrd*; do (cd initramfs && echo dm-mod.ko | cpio --quiet -o -H newc) | gzip > $f; done",
      "rootfs-initramfs-cannot-boot",
    ],
    ["no way to configure a network", "rm root/usr/lib/systemd/systemd-networkd", "network-family-unknown"],
    ["more than fits", "dd if=/dev/urandom of=root/big bs=1M count=40 status=none", "rootfs-does-not-fit"],
  ];
  it.each(refusals)("refuses a root filesystem with %s", (_, script, code) => {
    rmSync(join(folder, "bad"), { recursive: true, force: true });
    mkdirSync(join(folder, "bad"));
    execFileSync("sh", ["-c", `cp -a ../root ../initramfs . && ${script}`], {
      cwd: join(folder, "bad"),
      stdio: "inherit",
    });
    const file = releaseFile("bad/release.yaml", {
      sign: { key: "../keys/release.key" },
      trustedKeys: ["../keys/release.pub"],
      ...(code === "rootfs-does-not-fit"
        ? { layout: { volumes: [{ name: "root", size: "64 MiB", mountPoint: "/", slot: "A" }] } }
        : {}),
    });
    expect(dualroot(["build", file, "-o", "bad/out"])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`[${code}]`),
    });
    expect(existsSync(join(folder, "bad/out"))).toBe(false);
  });

  it("says so, and leaves nothing behind, when the disk is full", () => {
    const small = join(folder, "small");
    mkdirSync(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=60M", "tmpfs", small]);
    try {
      const { status, stderr } = dualroot(["build", "release.yaml", "-o", "small/out"]);
      expect(stderr).toMatch(/no space left|space/i);
      expect(status).toBe(5);
      expect(readdirSync(small)).toEqual([]);
    } finally {
      execFileSync("umount", [small]);
    }
  });

  it("keeps the older package, and leaves no half one, when it is interrupted", async () => {
    const before = readFileSync(join(folder, "out/manifest.json"), "utf8");
    const file = releaseFile("slow.yaml", { version: "2026.12", compression: { xzLevel: 9 } });
    const child = spawn(process.execPath, [program, "build", file, "-o", "out"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, DUALROOT_CACHE: join(folder, "cache") },
    });
    let stderr = "";
    for await (const chunk of child.stderr) {
      stderr += String(chunk);
      if (stderr.includes("Pack the root filesystem ...")) break;
    }
    expect(readdirSync(folder).some((name) => name.startsWith(".out.building-"))).toBe(true);
    child.kill("SIGINT");
    const [exitCode] = await once(child, "close");
    expect(exitCode).toBe(130);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
    expect(readFileSync(join(folder, "out/manifest.json"), "utf8")).toBe(before);
  });
});

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 1;
  writeFileSync(file, bytes);
}
