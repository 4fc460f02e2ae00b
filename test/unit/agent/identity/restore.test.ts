import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { captureIdentity, capturePreserved } from "../../../../agent/identity/capture.ts";
import { compareIdentity } from "../../../../agent/identity/compare.ts";
import { restoreIdentity } from "../../../../agent/identity/restore.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import type { Identity } from "../../../../format/identity.ts";
import { networkFamilies, type NetworkFamily } from "../../../../format/manifest.ts";

const golden = join(import.meta.dirname, "../../../golden/identity");
const run = createRun(silent);
const release = { name: "test", version: "1" };
let folder = "";

/** Writes a tree: text, or `-> target` for a link, or `/` for a folder. */
async function plant(root: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const where = join(root, path);
    await mkdir(dirname(where), { recursive: true });
    if (text === "/") await mkdir(where, { recursive: true });
    else if (text.startsWith("-> ")) await symlink(text.slice(3), where);
    else await writeFile(where, text);
  }
}

/** A Debian-like image with what a restore has to cope with: stock accounts, stock names, links, cloud-init. */
const image: Record<string, string> = {
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www:/var/www:/usr/sbin/nologin\ndebian:x:1000:1000:Stock:/home/debian:/bin/bash\n",
  "etc/shadow": "root:!:19500:0:99999:7:::\nwww-data:*:19500:0:99999:7:::\ndebian:!:19500:0:99999:7:::\n",
  "etc/group": "root:x:0:\nsudo:x:27:debian\ndialout:x:20:\nwww-data:x:33:\ndebian:x:1000:\n",
  "etc/gshadow": "root:*::\nsudo:*::debian\ndialout:*::\nwww-data:*::\ndebian:!::\n",
  "etc/hosts": "127.0.0.1\tlocalhost\n127.0.1.1\timage\n::1\tlocalhost ip6-localhost\n",
  "etc/hostname": "image\n",
  "etc/machine-id": "",
  "etc/timezone": "Etc/UTC\n",
  "etc/localtime": "-> /usr/share/zoneinfo/Etc/UTC",
  "etc/ssh/sshd_config": "PermitRootLogin yes\n",
  "etc/ssh/ssh_host_ed25519_key": "image's key",
  "etc/sudoers.d": "/",
  "etc/skel/.profile": "# skel\n",
  "etc/network/interfaces": "auto ens3\niface ens3 inet dhcp\n",
  "etc/systemd/network/00-first.network": "[Match]\nName=*\n[Network]\nDHCP=yes\n",
  "etc/sysconfig/network-scripts/ifcfg-ens3": "DEVICE=ens3\nBOOTPROTO=dhcp\nONBOOT=yes\n",
  "etc/resolv.conf": "-> ../run/systemd/resolve/stub-resolv.conf",
  "etc/cloud/cloud.cfg.d": "/",
  "var/lib/dbus": "/",
  "usr/share/zoneinfo/Europe/Moscow": "TZif2-moscow",
  "usr/share/zoneinfo/Etc/UTC": "TZif2-utc",
  "usr/share/zoneinfo/UTC": "TZif2-utc",
  "usr/share/zoneinfo/Asia/Omsk": "TZif2-omsk.",
  "usr/share/zoneinfo/America/Argentina/Buenos_Aires": "TZif2-ba",
  "usr/lib/systemd/system/systemd-networkd.service": "[Unit]\n",
  "bin/bash": "#!",
  "bin/sh": "#!",
  "usr/sbin/nologin": "#!",
};

async function makeImage(more: Record<string, string> = {}): Promise<string> {
  const target = join(folder, "target");
  await plant(target, { ...image, ...more });
  for (const program of ["bin/bash", "bin/sh", "usr/sbin/nologin"]) await chmod(join(target, program), 0o755);
  await chmod(join(target, "etc/shadow"), 0o640);
  await chown(join(target, "etc/shadow"), 0, 42);
  return target;
}

async function makeOld(name: string, more: Record<string, string> = {}): Promise<string> {
  const root = join(folder, "old");
  await cp(join(golden, name, "root"), root, { recursive: true, verbatimSymlinks: true });
  await plant(root, { "etc/ssh/ssh_host_ed25519_key": "PRIVATE KEY", ...more });
  return root;
}

async function convert(root: string, target: string, network: NetworkFamily, paths: string[] = []) {
  const preservedTar = join(folder, "preserved.tar");
  const { identity } = await captureIdentity(root);
  const preserved = await capturePreserved({ root, paths, output: preservedTar, run });
  const restored = await restoreIdentity({ identity, preservedTar, target, network, release, run });
  return { identity, preserved, ...restored };
}

// Owners can only be given by root, as in the ramdisk.
describe.skipIf(process.getuid?.() !== 0)("restoring an identity", () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "dualroot-identity-"));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  for (const name of ["centos7-static", "networkd", "debian-ifupdown"]) {
    test.each(networkFamilies)(`${name} on %s is the same box`, async (network) => {
      const root = await makeOld(name);
      const target = await makeImage();
      const { identity } = await convert(root, target, network);
      const unequal = compareIdentity(identity, (await captureIdentity(target)).identity).filter(
        (row) => !row.equal,
      );
      // The image's own uid 1000 is the one thing that has to give way.
      expect(
        unequal.map((row) => row.item).filter((item) => !/^(uid of|group) (operator1|ana|admin)$/.test(item)),
      ).toEqual([]);
      if (name !== "centos7-static") return;
      const own = Number(
        /^operator1:x:(\d+):/m.exec(await readFile(join(target, "etc/passwd"), "utf8"))?.[1],
      );
      for (const path of [".ssh", ".ssh/authorized_keys", ".profile"]) {
        expect((await lstat(join(target, "home/operator1", path))).uid).toBe(own);
      }
      const before = await readFile(join(target, "etc/passwd"), "utf8");
      await convert(root, target, network);
      expect(await readFile(join(target, "etc/passwd"), "utf8")).toBe(before);
      expect(
        (await readFile(join(target, "etc/hosts"), "utf8")).match(/From the old system/g)?.length ?? 0,
      ).toBeLessThan(2);
    });
  }

  test("files, owners, modes and stock settings of a CentOS 7 box on Debian", async () => {
    const root = await makeOld("centos7-static", {
      "etc/site/line.conf": "line=7\n",
      "opt/gateway/data/state": "state\n",
      "opt/gateway/data/private": "mine\n",
      "opt/gateway/link": "-> /etc/site/line.conf",
      "etc/sudoers.d/ops": "%wheel ALL=(ALL) ALL\n",
      "var/empty/sshd": "/",
    });
    // A home without keys is carried as a folder, with its owner and mode.
    await rm(join(root, "home/operator1/.ssh"), { recursive: true });
    await plant(root, {
      "home/operator1/private": "stays\n",
      "root/.ssh/authorized_keys": "ssh-ed25519 AAAA root\n",
    });
    await chown(join(root, "opt/gateway/data/state"), 997, 995);
    await chown(join(root, "opt/gateway/data/private"), 1000, 1000);
    await chmod(join(root, "opt/gateway/data/private"), 0o600);
    await chown(join(root, "home/operator1"), 1000, 1000);
    await chmod(join(root, "home/operator1"), 0o710);
    await chown(join(root, "etc/ssh/ssh_host_ed25519_key"), 0, 999);
    await chmod(join(root, "etc/ssh/ssh_host_ed25519_key"), 0o640);
    const target = await makeImage();
    const { notes, preserved } = await convert(root, target, "networkd", [
      "/etc/site",
      "/opt/gateway/*",
      "/etc/none",
      "/srv/*/x",
    ]);
    expect(preserved.missing).toEqual(["/etc/none", "/srv/*/x"]);
    const facts = async (path: string) => lstat(join(target, path));

    expect(await readFile(join(target, "etc/ssh/ssh_host_ed25519_key"), "utf8")).toBe("PRIVATE KEY");
    expect((await facts("etc/ssh/ssh_host_ed25519_key")).mode & 0o777).toBe(0o600);
    expect((await facts("etc/ssh/ssh_host_ed25519_key")).gid).toBe(0);
    expect(await readFile(join(target, "etc/ssh/sshd_config"), "utf8")).toBe("PermitRootLogin yes\n");
    const shadow = await facts("etc/shadow");
    expect([shadow.mode & 0o777, shadow.gid]).toEqual([0o640, 42]);
    expect(await readFile(join(target, "etc/shadow"), "utf8")).toContain("root:$6$saltsalt$");

    // operator1 had 1000, which is debian's in the image.
    const uid = Number(/^operator1:x:(\d+):/m.exec(await readFile(join(target, "etc/passwd"), "utf8"))?.[1]);
    expect(uid).toBe(1001);
    expect((await facts("opt/gateway/data/private")).uid).toBe(uid);
    expect((await facts("opt/gateway/data/private")).mode & 0o777).toBe(0o600);
    expect((await facts("home/operator1")).uid).toBe(uid);
    expect((await facts("home/operator1")).mode & 0o777).toBe(0o710);
    expect((await facts("home/operator1/.profile")).uid).toBe(uid);
    await expect(facts("home/operator1/private")).rejects.toThrow("ENOENT");
    await expect(facts("var/empty")).rejects.toThrow("ENOENT");
    expect((await facts("root/.ssh")).mode & 0o777).toBe(0o700);
    expect((await facts("root/.ssh/authorized_keys")).mode & 0o777).toBe(0o600);
    // gatewayd (997) is nobody on the new system: the number stays, and that is said.
    expect((await facts("opt/gateway/data/state")).uid).toBe(997);
    expect(notes.join("\n")).toContain("old user gatewayd (997)");
    expect(await readlink(join(target, "opt/gateway/link"))).toBe("/etc/site/line.conf");

    expect(notes.join("\n")).toContain(
      "/etc/systemd/network/00-first.network of the release would contradict",
    );
    expect(
      await readlink(join(target, "etc/systemd/system/multi-user.target.wants/systemd-networkd.service")),
    ).toBe("/usr/lib/systemd/system/systemd-networkd.service");
    expect(await readFile(join(target, "etc/resolv.conf"), "utf8")).toContain(
      "nameserver 192.0.2.53\nnameserver 198.51.100.53\n",
    );
    expect((await facts("etc/resolv.conf")).isFile()).toBe(true);
    expect(await readFile(join(target, "etc/hosts"), "utf8")).not.toContain("image");
    expect(await readlink(join(target, "etc/localtime"))).toBe("../usr/share/zoneinfo/Europe/Moscow");
    expect(await readFile(join(target, "etc/timezone"), "utf8")).toBe("Europe/Moscow\n");
    expect(await readlink(join(target, "var/lib/dbus/machine-id"))).toBe("/etc/machine-id");
    expect(await readFile(join(target, "etc/sudoers.d/dualroot"), "utf8")).toContain(
      "%sudo ALL=(ALL) NOPASSWD: ALL\n",
    );
    expect((await facts("etc/sudoers.d/ops")).mode & 0o777).toBe(0o440);
    expect(notes.join("\n")).toContain("/etc/sudoers.d/ops has a rule for the group wheel");
    expect(await readFile(join(target, "etc/cloud/cloud.cfg.d/99-dualroot.cfg"), "utf8")).toContain(
      "ssh_deletekeys: false",
    );
    await expect(lstat(join(target, ".dualroot-preserved"))).rejects.toThrow("ENOENT");
  });

  test("the account files are whole: pwck and grpck of shadow-utils agree", async () => {
    const target = await makeImage({ root: "/", "var/www": "/", "home/debian": "/" });
    await convert(await makeOld("centos7-static"), target, "networkd");
    // In the image itself, where they find its groups, homes and shells.
    const users = await run("pwck", ["--root", target, "--read-only"], { acceptExitCodes: [2] });
    const groups = await run("grpck", ["--root", target, "--read-only"], { acceptExitCodes: [2] });
    const said = [users, groups]
      .flatMap((result) => `${result.stdout}${result.stderr}`.split("\n"))
      .filter((line) => line !== "");
    expect(said.filter((line) => line !== "pwck: no changes" && line !== "grpck: no changes")).toEqual([]);
  });

  test("onto another filesystem too, with capabilities, ACLs and sparse files as they were", async (context) => {
    const paths = ["data/app", "opt/app"];
    const root = await makeOld(
      "networkd",
      Object.fromEntries(
        paths.flatMap((path) => [
          [`${path}/tool`, "#!\n"],
          [`${path}/config`, "x\n"],
        ]),
      ),
    );
    for (const path of paths.map((each) => join(root, each))) {
      await run("truncate", ["--size=8M", join(path, "sparse")]);
      await run("setfattr", ["--name=user.origin", "--value=plant 7", join(path, "tool")]);
      await run("setcap", ["cap_net_bind_service,cap_net_raw=ep", join(path, "tool")]);
      await run("setfacl", ["--modify=u:33:r", join(path, "config")]);
      // The image's own uid 1000 makes this one's owner change, by which the kernel takes capabilities away.
      const moved = join(path, "its own\\tool");
      await writeFile(moved, "#!\n");
      await chown(moved, 1000, 1000);
      await run("setcap", ["cap_net_raw=ep", moved]);
      // The old file has them, else equality below would prove nothing.
      expect((await run("getcap", [join(path, "tool")])).stdout).toContain(
        "cap_net_bind_service,cap_net_raw=ep",
      );
    }
    const target = await makeImage();
    await mkdir(join(target, "data"));
    // No tmpfs: it has user.* attributes only since Linux 6.6.
    const image = join(folder, "data.img");
    await run("truncate", ["--size=64M", image]);
    await run("mkfs.ext4", ["-q", image]);
    const mounted = await run("mount", ["-o", "loop", image, join(target, "data")], {
      acceptExitCodes: [1, 32],
    });
    // Without the right to mount there is no second filesystem to test with.
    if (mounted.exitCode !== 0) return context.skip();
    try {
      expect((await stat(join(target, "data"))).dev).not.toBe((await stat(target)).dev);
      await convert(
        root,
        target,
        "networkd",
        paths.map((path) => `/${path}`),
      );
      for (const path of paths) {
        const file = (name: string): string => join(target, path, name);
        expect((await stat(file("tool"))).dev).toBe((await stat(join(target, path.split("/")[0] ?? ""))).dev);
        expect(await readFile(file("tool"), "utf8")).toBe("#!\n");
        const sparse = await stat(file("sparse"));
        expect(sparse.size).toBe(8 * 1024 * 1024);
        expect(sparse.blocks).toBeLessThan(100);
        const acl = await run("getfacl", ["--omit-header", "--absolute-names", "--numeric", file("config")]);
        expect(acl.stdout).toContain("user:33:r--");
        const moved = file("its own\\tool");
        expect((await stat(moved)).uid).not.toBe(1000);
        expect((await run("getcap", [moved])).stdout).toContain("cap_net_raw=ep");
        const capabilities = await run("getcap", [file("tool")]);
        expect(capabilities.stdout).toContain("cap_net_bind_service,cap_net_raw=ep");
        const origin = await run("getfattr", ["--only-values", "--name=user.origin", file("tool")]);
        expect(origin.stdout).toBe("plant 7");
      }
    } finally {
      await run("umount", [join(target, "data")]);
    }
  });

  describe("names resolve as before", () => {
    const resolvedUnit = { "usr/lib/systemd/system/systemd-resolved.service": "[Unit]\n" };
    const lines = "search lab.example\nnameserver fec0::3\nnameserver 10.0.2.3\n";
    const settings = "Address=fec0::79/64\nDNS=fec0::3\nDomains=lab.example\n";
    /** One leased card; without the golden system's own resolver. */
    async function makeLeased(resolver: Record<string, string>, more = settings): Promise<string> {
      const root = await makeOld("networkd");
      for (const path of ["resolv.conf", "systemd/resolved.conf", "systemd/network/20-wan.network"])
        await rm(join(root, "etc", path));
      await plant(root, {
        "etc/systemd/network/10-up.network": `[Match]\nMACAddress=52:54:00:79:00:01\nName=eth0\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n${more}`,
        ...resolver,
      });
      return root;
    }
    const rows = async (identity: Identity, target: string): Promise<string[]> =>
      compareIdentity(identity, (await captureIdentity(target)).identity)
        .filter((row) => /name servers|search domains/.test(row.item) && !row.equal)
        .map((row) => `${row.item}: ${row.old} / ${row.new}`);

    test.each(networkFamilies)("a hand-written file beside DHCP, on %s", async (network) => {
      const target = await makeImage({ ...resolvedUnit, "etc/dhcp": "/" });
      const { identity } = await convert(await makeLeased({ "etc/resolv.conf": lines }), target, network);
      expect(identity.dns.servers).toEqual(["10.0.2.3"]);
      expect(await rows(identity, target)).toEqual([]);
      if (network === "networkmanager") return;
      expect(await readFile(join(target, "etc/resolv.conf"), "utf8")).toBe(
        `# Written by dualroot: name servers of the old system\n${lines}`,
      );
    });

    const leased = {
      "etc/resolv.conf": "-> ../run/systemd/resolve/stub-resolv.conf",
      "run/systemd/resolve/stub-resolv.conf": "nameserver 127.0.0.53\n",
      "run/systemd/resolve/resolv.conf": `# DO NOT EDIT\n${lines}`,
    };

    test("a lease's servers, where nobody will write them", async () => {
      const target = await makeImage();
      const { identity, notes } = await convert(await makeLeased(leased), target, "networkd");
      expect(identity.dns.servers).toEqual([]);
      expect(await readFile(join(target, "etc/resolv.conf"), "utf8")).toContain(lines);
      expect(notes.join("\n")).toContain("does not follow the lease");
      expect(await rows(identity, target)).toEqual([]);
    });

    test("a lease's servers are left to resolved, and to the target's resolvconf", async () => {
      const target = await makeImage(resolvedUnit);
      const { identity } = await convert(await makeLeased(leased), target, "networkd");
      expect(await readlink(join(target, "etc/resolv.conf"))).toBe("../run/systemd/resolve/stub-resolv.conf");
      expect(
        await readFile(join(target, "etc/systemd/network/05-dualroot-eth0.network"), "utf8"),
      ).not.toContain("UseDNS");
      expect(await rows(identity, target)).toEqual([]);
    });

    test("the link of the target's resolvconf stays for a lease, one to a resolved that does not run goes", async () => {
      const text = "nameserver 10.0.2.3\n";
      const root = await makeLeased({ ...leased, "run/systemd/resolve/resolv.conf": text }, "");
      const target = await makeImage();
      await convert(root, target, "ifupdown");
      expect(await readFile(join(target, "etc/resolv.conf"), "utf8")).toContain(text);
      await rm(join(target, "etc/resolv.conf"));
      await symlink("/run/resolvconf/resolv.conf", join(target, "etc/resolv.conf"));
      await convert(root, target, "ifupdown");
      expect(await readlink(join(target, "etc/resolv.conf"))).toBe("/run/resolvconf/resolv.conf");
    });
  });

  test("resolved is left in charge where it runs", async () => {
    const target = await makeImage({
      "usr/lib/systemd/system/systemd-resolved.service": "[Unit]\n",
      "etc/systemd/system/sysinit.target.wants/systemd-resolved.service":
        "-> /usr/lib/systemd/system/systemd-resolved.service",
    });
    await convert(await makeOld("centos7-static"), target, "networkd");
    expect(await readlink(join(target, "etc/resolv.conf"))).toBe("../run/systemd/resolve/stub-resolv.conf");
  });

  test("no link of the target or of the old system leads out", async () => {
    const outside = join(folder, "outside");
    await plant(outside, {
      "secret/key": "outside\n",
      "ssh/ssh_host_rsa_key": "outside key\n",
      victim: "untouched\n",
    });
    const root = await makeOld("networkd", {
      "etc/app": `-> ${outside}/secret`,
      "etc/climb": "-> ../../../../../../../../etc",
      "etc/loop": "-> loop",
      "srv/real/file": "inside\n",
      "etc/inside": "-> /srv/real",
    });
    const target = await makeImage();
    // The image keeps its keys on the data volume, and has links that leave the root folder.
    await rm(join(target, "etc/ssh"), { recursive: true });
    await plant(target, { "data/ssh/sshd_config": "x\n", "etc/ssh": "-> /data/ssh", home: `-> ${outside}` });
    await rm(join(target, "etc/hostname"));
    await symlink(join(outside, "victim"), join(target, "etc/hostname"));
    const paths = ["/etc/app/*", "/etc/climb/passwd", "/etc/loop", "/etc/inside/file", "/../../etc/hostname"];
    const { preserved } = await convert(root, target, "ifupdown", paths);
    const names = (await run("tar", ["-tf", join(folder, "preserved.tar")])).stdout;
    expect(names).not.toContain("secret");
    expect(names).toContain("./srv/real/file");
    expect(preserved.missing).toContain("/etc/app/*");
    expect(await readFile(join(outside, "victim"), "utf8")).toBe("untouched\n");
    expect(await readFile(join(target, "data/ssh/ssh_host_ed25519_key"), "utf8")).toBe("PRIVATE KEY");
    expect(await readFile(join(target, "etc/hostname"), "utf8")).toBe("nd-gw\n");
    expect(await readFile(join(target, "srv/real/file"), "utf8")).toBe("inside\n");
    await expect(stat(join(outside, "ana"))).rejects.toThrow("ENOENT");
  });

  test("equal files give an equal archive, for root's eyes only", async () => {
    const root = await makeOld("centos7-static");
    const archive = async (name: string): Promise<Buffer> => {
      await capturePreserved({ root, paths: ["/etc/hosts"], output: join(folder, name), run });
      return readFile(join(folder, name));
    };
    expect((await archive("a.tar")).equals(await archive("b.tar"))).toBe(true);
    expect((await stat(join(folder, "a.tar"))).mode & 0o077).toBe(0);
  });
});
