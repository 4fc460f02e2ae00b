import { describe, expect, it } from "vitest";
import { leftOutByReason, leftOutLine } from "../../../../builder/render/left-out.ts";
import { selectEntries } from "../../../../builder/rootfs/select-entries.ts";
import { swapFiles } from "../../../../builder/rootfs/swap-files.ts";
import type { Entry } from "../../../../builder/rootfs/walk.ts";

function tree(...paths: string[]): Entry[] {
  const folders = new Set(
    paths.flatMap((path) => {
      const parts = path.split("/");
      return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
    }),
  );
  const entry = (path: string, type: Entry["type"]): Entry => ({
    path,
    type,
    sizeBytes: 4096,
    allocatedBytes: 4096,
    modifiedAt: 0,
    inode: path,
    links: 1,
  });
  return [
    ...[...folders].map((path) => entry(path, "folder")),
    ...paths.map((path) => entry(path, "file")),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}

const nothing: { exclude: string[]; keep: string[] } = { exclude: [], keep: [] };
const keptFiles = (entries: Entry[], changes = nothing) =>
  selectEntries(entries, changes).kept.flatMap(({ path, type }) => (type === "file" ? [path] : []));

describe("what must not ship", () => {
  it.each([
    ["logs", "var/log/messages"],
    ["logs", "root/install.log"],
    ["package cache", "var/cache/apt/archives/vim.deb"],
    ["package cache", "var/cache/dnf/base.solv"],
    ["package cache", "var/cache/yum/x86_64/7/base/packages/vim.rpm"],
    ["temporary", "var/tmp/systemd-private-1"],
    ["shell history", "root/.bash_history"],
    ["shell history", "home/ann/.zsh_history"],
    ["shell history", "home/ann/.python_history"],
    ["machine identity", "etc/ssh/ssh_host_ed25519_key"],
    ["machine identity; an empty one is laid down", "etc/machine-id"],
    ["machine identity", "var/lib/systemd/random-seed"],
    ["leases of another machine", "var/lib/dhcp/dhclient.eth0.leases"],
    ["leases of another machine", "var/lib/NetworkManager/internal-1-eth0.lease"],
    ["device names of another machine", "etc/udev/rules.d/70-persistent-net.rules"],
    ["swap", "swapfile"],
    ["left by the installer, with its root password", "root/anaconda-ks.cfg"],
    ["what cloud-init knows of another machine", "var/lib/cloud/data/instance-id"],
  ])("%s: %s", (why, path) => {
    const { left } = selectEntries(tree(path), nothing);
    expect(left.map((found) => found.why)).toEqual([why]);
    expect(left.map((found) => found.bytes)).toEqual([4096]);
    expect(keptFiles(tree(path))).toEqual([]);
    expect(keptFiles(tree(path), { exclude: [], keep: [`/${path}`] })).toEqual([path]);
  });

  it("is no more than that", () => {
    const paths = [
      "etc/ssh/sshd_config",
      "etc/udev/rules.d/60-site.rules",
      "home/ann/.bashrc",
      "root/.ssh/authorized_keys",
      "usr/lib/tmp/file",
      "usr/share/log/file",
      "var/lib/dpkg/status",
      "var/lib/rpm/Packages",
      "var/lib/rpm/rpmdb.sqlite",
    ];
    expect(keptFiles(tree(...paths))).toEqual(paths);
  });

  it("has the swap files that fstab names, wherever they are", () => {
    const fstab =
      "/var/my\\040swap none swap sw 0 0\n/dev/sda2 none swap sw 0 0\n# /old none swap\nUUID=1 / ext4 defaults 0 1\n";
    expect(swapFiles(fstab)).toEqual(["/var/my swap"]);
    const { kept, left } = selectEntries(tree("var/my swap"), { ...nothing, swapFiles: swapFiles(fstab) });
    expect(kept.map(({ path }) => path)).toEqual(["var"]);
    expect(left).toEqual([{ pattern: "/var/my swap", why: "swap", entries: 1, bytes: 4096 }]);
  });

  it("is reported with the bytes it saves, one sum for each reason", () => {
    const { left } = selectEntries(tree("var/log/a", "root/install.log", "var/cache/dnf/x", "opt/site"), {
      exclude: ["/opt/*"],
      keep: [],
    });
    expect(leftOutByReason(left)).toEqual([
      { why: "logs", entries: 2, bytes: 8192 },
      { why: "package cache", entries: 1, bytes: 4096 },
      { why: "the release says so", entries: 1, bytes: 4096 },
    ]);
    expect(leftOutLine(left)).toBe(
      "left out: 16 KiB (logs 8 KiB, package cache 4 KiB, the release says so 4 KiB); see dualroot plan",
    );
  });
});
