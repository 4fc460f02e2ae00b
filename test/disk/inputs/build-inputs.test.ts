import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { makeBootableRoot } from "../../fixtures/bootable-root.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-inputs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = fileURLToPath(new URL("../../../builder/dualroot.mjs", import.meta.url));
const stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

const release = {
  name: "demo",
  version: "2026.11",
  compatible: "demo-gateway",
  counter: 1,
  sign: { key: "keys/release.key" },
  trustedKeys: ["keys/release.pub"],
  rootfs: { source: "root.tar", overlay: "overlay" },
  compression: { xzLevel: 0 },
};

function dualroot(args: string[], options: { before?: string[]; cwd?: string; cache?: string } = {}) {
  const [command, ...rest] = [...(options.before ?? []), process.execPath, program, ...args];
  const { status, stdout, stderr } = spawnSync(command!, rest, {
    cwd: options.cwd ?? folder,
    encoding: "utf8",
    // Somebody else can write here, but not to this program's own temporary folder.
    env: {
      ...process.env,
      HOME: folder,
      TMPDIR: folder,
      DUALROOT_CACHE: join(folder, options.cache ?? "cache"),
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, stderr };
}

function built(
  output: string,
  options: Parameters<typeof dualroot>[1] & { release?: string; flags?: string[] } = {},
) {
  const { status, stdout, stderr } = dualroot(
    [
      "build",
      join(folder, options.release ?? "release.yaml"),
      "-o",
      output,
      "--json",
      ...(options.flags ?? []),
    ],
    options,
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { rootfsFromCache: boolean; leftOut: { why: string; bytes: number }[] };
}

interface Difference {
  file: string;
  at: string;
  field: string;
}

function differences(a: string, b: string): Difference[] {
  const { stdout, status } = dualroot(["diff", a, b, "--json"]);
  const result = JSON.parse(stdout) as { equal: boolean; differences: Difference[] };
  expect(status).toBe(result.equal ? 0 : 4);
  return result.differences;
}

beforeAll(async () => {
  chmodSync(folder, 0o777);
  await makeBootableRoot(folder);
  mkdirSync(join(folder, "overlay/etc"), { recursive: true });
  mkdirSync(join(folder, "root/var/log"), { recursive: true });
  writeFileSync(join(folder, "root/var/log/messages"), "x".repeat(100_000));
  writeFileSync(join(folder, "root/etc/site"), "of the source");
  writeFileSync(join(folder, "overlay/etc/site"), "1");
  writeFileSync(join(folder, "release.yaml"), stringify(release));
  writeFileSync(
    join(folder, "folder.yaml"),
    stringify({ ...release, rootfs: { ...release.rootfs, source: "root" } }),
  );
  execFileSync("tar", [
    ...["-C", join(folder, "root"), "--numeric-owner", "--xattrs", "--xattrs-include=*"],
    ...["--sort=name", "-cf", join(folder, "root.tar"), "."],
  ]);
  expect(dualroot(["keygen", "keys", "--role", "release"]).status).toBe(0);
  execFileSync("chown", ["-R", "65534:65534", join(folder, "keys")]);
});

describe("a tar as root filesystem", () => {
  it("is packed by somebody who is not root, just as its folder is by root", () => {
    const { leftOut, rootfsFromCache } = built(join(folder, "first"), { before: stranger });
    expect(rootfsFromCache).toBe(false);
    expect(leftOut.find(({ why }) => why === "logs")).toMatchObject({ entries: 1, bytes: 102_400 });
    built(join(folder, "from-folder"), { release: "folder.yaml" });
    // A sorted tar is packed as its folder is, to the byte.
    expect(differences("first", "from-folder")).toEqual([]);
    execFileSync("chown", ["-R", "65534:65534", join(folder, "cache")]);
    expect(dualroot(["build", "folder.yaml", "-o", "no"], { before: stranger })).toMatchObject({
      status: 4,
      stderr: expect.stringContaining("[build-not-root]"),
    });
  });

  it("gives the same bytes on another path, with another umask, locale, time zone, one core, and no cache", () => {
    mkdirSync(join(folder, "else where"));
    chmodSync(join(folder, "else where"), 0o777);
    const before = [
      ...stranger,
      "sh",
      "-c",
      'umask 077; TZ=Asia/Tokyo LC_ALL=C.UTF-8 XZ_OPT=-9 exec taskset -c 0 "$@"',
      "sh",
    ];
    const { rootfsFromCache } = built("again", {
      before,
      cwd: join(folder, "else where"),
      flags: ["--no-cache"],
      cache: "unused",
    });
    expect(rootfsFromCache).toBe(false);
    expect(differences("first", "else where/again")).toEqual([]);
    expect(readdirSync(folder)).not.toContain("unused");
  });

  it("is not packed again when only an overlay's file has changed", () => {
    const before = readFileSync(join(folder, "overlay/etc/site"), "utf8");
    writeFileSync(join(folder, "overlay/etc/site"), "2");
    expect(built(join(folder, "second"), { before: stranger }).rootfsFromCache).toBe(true);
    expect(
      differences("first", "second")
        .filter(({ file }) => file === "rootfs.tar.xz")
        .map(({ at, field }) => [at, field]),
    ).toEqual([
      ["./etc/site", "sha256"],
      ["./usr/lib/dualroot/rootfs.sha256", "sha256"],
    ]);
    writeFileSync(join(folder, "overlay/etc/site"), before);
    expect(built(join(folder, "third"), { before: stranger }).rootfsFromCache).toBe(true);
    expect(differences("first", "third")).toEqual([]);
  });

  it("is packed again when a cached file is damaged", () => {
    const cache = join(folder, "cache/rootfs");
    for (const key of readdirSync(cache)) {
      const file = join(cache, key, "body.tar.xz");
      const bytes = readFileSync(file);
      bytes[5000]! ^= 1;
      writeFileSync(file, bytes);
    }
    expect(built(join(folder, "fourth"), { before: stranger }).rootfsFromCache).toBe(false);
    expect(differences("first", "fourth")).toEqual([]);
  });

  it("is explained by diff where it differs: which file, which field", () => {
    execFileSync("sh", [
      "-euc",
      'cp "$0/root.tar" "$0/changed.tar"; cp -a "$0/root/etc/os-release" "$0/os-release"; mkdir -p "$0/extra/etc"; mv "$0/os-release" "$0/extra/etc"; chmod 600 "$0/extra/etc/os-release"; setfattr -n user.note -v x "$0/extra/etc/os-release"; tar -C "$0/extra" --owner=7 --numeric-owner --format=pax --xattrs --xattrs-include="*" -rf "$0/changed.tar" ./etc/os-release',
      folder,
    ]);
    writeFileSync(
      join(folder, "changed.yaml"),
      stringify({ ...release, rootfs: { ...release.rootfs, source: "changed.tar" } }),
    );
    built(join(folder, "changed"), { release: "changed.yaml" });
    const found = differences("first", "changed").filter(({ at }) => at === "./etc/os-release");
    expect(found.map(({ field }) => field).sort()).toEqual(["mode", "uid", "xattrs.user.note"]);
  });

  it("is refused when it enforces SELinux without labels, until the release chooses", () => {
    execFileSync("sh", [
      "-euc",
      `cp "$0/root.tar" "$0/selinux.tar"; mkdir -p "$0/policy/etc/selinux/targeted/contexts/files"; printf 'SELINUX=enforcing\\nSELINUXTYPE=targeted\\n' >"$0/policy/etc/selinux/config"; tar -C "$0/policy" -rf "$0/selinux.tar" ./etc/selinux`,
      folder,
    ]);
    const file = (name: string, changes: object) =>
      writeFileSync(
        join(folder, name),
        stringify({ ...release, ...changes, rootfs: { ...release.rootfs, source: "selinux.tar" } }),
      );
    file("selinux.yaml", {});
    expect(dualroot(["plan", "selinux.yaml"])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("[selinux-labels-missing]"),
    });
    file("selinux.yaml", { target: { selinux: "relabel" } });
    expect(dualroot(["plan", "selinux.yaml"]).stderr).toContain("[selinux-cannot-relabel]");
    file("selinux.yaml", { target: { selinux: "permissive" } });
    built(join(folder, "selinux"), { release: "selinux.yaml" });
    const config = execFileSync("tar", [
      "-xOf",
      join(folder, "selinux/rootfs.tar.xz"),
      "./etc/selinux/config",
    ]);
    expect(config.toString()).toBe("SELINUX=permissive\nSELINUXTYPE=targeted\n");
  });

  it("leaves no file behind when it is interrupted, neither beside the output nor in the cache", async () => {
    writeFileSync(join(folder, "slow.yaml"), stringify({ ...release, compression: { xzLevel: 9 } }));
    const child = spawn(process.execPath, [program, "build", "slow.yaml", "-o", "slow"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, DUALROOT_CACHE: join(folder, "cache") },
    });
    let stderr = "";
    for await (const chunk of child.stderr) {
      stderr += String(chunk);
      if (stderr.includes("Pack the root filesystem ...")) break;
    }
    const isScratch = (name: string) => name.startsWith("new-");
    for (let tries = 0; tries < 200 && !readdirSync(join(folder, "cache/rootfs")).some(isScratch); tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(join(folder, "cache/rootfs")).some(isScratch)).toBe(true);
    child.kill("SIGINT");
    const [exitCode] = await once(child, "close");
    expect(exitCode).toBe(130);
    expect(readdirSync(folder).filter((name) => name.startsWith(".") || name === "slow")).toEqual([]);
    expect(readdirSync(join(folder, "cache/rootfs")).filter(isScratch)).toEqual([]);
  });
});
