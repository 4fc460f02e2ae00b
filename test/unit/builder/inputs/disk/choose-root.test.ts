import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseRoot } from "../../../../../builder/inputs/disk/choose-root.ts";
import type { FoundFilesystem } from "../../../../../builder/inputs/disk/found-filesystem.ts";
import { UserError } from "../../../../../format/errors.ts";
import { GiB } from "../../../../../format/sizes.ts";

const one = (device: string, changes: Partial<FoundFilesystem> = {}): FoundFilesystem => ({
  device,
  type: "ext4",
  sizeBytes: GiB,
  content: { hasInit: false },
  ...changes,
});
const osRelease = 'PRETTY_NAME="CentOS Linux 7 (Core)"\n';
const root = (device: string, fstab: string, changes: Partial<FoundFilesystem> = {}) =>
  one(device, { content: { hasInit: true, osRelease, fstab }, ...changes });
const part = (number: number, disk = 0) => ({ partition: { disk, number } });
const volume = (name: string, group = "centos") => ({
  volume: { group, name, uuid: `LVM-${name}` },
  ...{ device: `/dev/mapper/${group}-${name}` },
});
const dashed = { volume: { group: "my-group", name: "a-b", uuid: "LVM-1a2B" } };

function refused(found: readonly FoundFilesystem[]): { code: string; message: string } {
  try {
    chooseRoot(found);
  } catch (error) {
    if (error instanceof UserError) return error.problems[0]!;
    throw error;
  }
  throw new Error("it was taken");
}

/** CentOS 7 as its installer lays it out. */
const centos: FoundFilesystem[] = [
  one("/dev/sda1", { ...part(1), type: "xfs", uuid: "b00t" }),
  root(
    "/dev/mapper/centos-root",
    `# anaconda
/dev/mapper/centos-root /                       xfs     defaults        0 0
UUID=b00t               /boot                   xfs     defaults        0 0
/dev/mapper/centos-home /home                   xfs     defaults        0 0
/dev/centos/var         /var/                   xfs     defaults        0 0
UUID="106"              /var/log                xfs     nosuid          0 0
/dev/mapper/centos-swap swap                    swap    defaults        0 0
proc /proc proc defaults 0 0
server:/export /srv nfs defaults 0 0
/dev/cdrom /media/cdrom iso9660 ro,noauto 0 0
`,
    { ...volume("root"), type: "xfs" },
  ),
  one("", { ...volume("home"), type: "xfs" }),
  one("", { ...volume("var"), type: "xfs" }),
  one("", { ...volume("log"), type: "xfs", uuid: "106" }),
  one("", { ...volume("swap"), type: "swap" }),
];

describe("the root in a disk image", () => {
  it("is put together from LVM, /boot, /home, /var and what lies below", () => {
    const choice = chooseRoot(centos);
    expect(choice.osName).toBe("CentOS Linux 7 (Core)");
    expect(choice.mounts.map(({ target, device }) => [target, device])).toEqual([
      ["/", "/dev/mapper/centos-root"],
      ["/boot", "/dev/sda1"],
      ["/home", "/dev/mapper/centos-home"],
      ["/var", "/dev/mapper/centos-var"],
      ["/var/log", "/dev/mapper/centos-log"],
    ]);
    expect(choice.ignored).toEqual([{ device: "/dev/mapper/centos-swap", why: "swap" }]);
  });

  it.each([
    ["/dev/sda2", { ...part(2) }],
    ["/dev/vda2", { ...part(2) }],
    ["/dev/xvda2", { ...part(2) }],
    ["/dev/sdb1", { ...part(1, 1) }],
    ["/dev/nvme0n1p2", { ...part(2) }],
    ["LABEL=my root", { label: "my root" }],
    ["UUID=ABCD", { uuid: "abcd" }],
    ["PARTUUID=12-34", { partitionUuid: "12-34" }],
    ["/dev/disk/by-label/my\\x20root", { label: "my root" }],
    ["/dev/disk/by-uuid/abcd", { uuid: "abcd" }],
    ["/dev/mapper/my--group-a--b", dashed],
    ["/dev/my-group/a-b", dashed],
    ["/dev/disk/by-id/dm-name-my--group-a--b", dashed],
    ["/dev/disk/by-id/dm-uuid-LVM-1a2B", dashed],
  ])("is known by %s", (source, changes) => {
    const line = `${source.replaceAll(" ", "\\040")} / ext4 defaults 0 1\n`;
    // A copy of it somewhere else is not the root: its fstab names the other one.
    const found = [root("/dev/copy", line), root("/dev/the-root", line, changes)];
    expect(chooseRoot(found).mounts).toEqual([{ device: "/dev/the-root", type: "ext4", target: "/" }]);
    expect(chooseRoot(found).ignored).toEqual([{ device: "/dev/copy", why: "not in the root's fstab" }]);
  });

  it("needs no fstab when there is only one, as in a cloud image", () => {
    const only = one("/dev/sda1", { content: { hasInit: true, osRelease } });
    expect(chooseRoot([only, one("/dev/sda2")]).mounts).toHaveLength(1);
  });

  it("leaves out UEFI's partition, removable media and what is mounted by hand, and says so", () => {
    const fstab =
      "LABEL=r / ext4\nLABEL=efi /boot/efi vfat\nLABEL=usb /media/usb ext4 noauto\nLABEL=hand /hand ext4 noauto\nLABEL=gone /gone ext4 nofail\n";
    const found = [
      root("/dev/sda1", fstab, { label: "r" }),
      ...["efi", "usb", "hand"].map((label) => one(`/dev/${label}`, { label })),
    ];
    const { mounts, ignored } = chooseRoot(found);
    expect(mounts.map(({ target }) => target)).toEqual(["/"]);
    expect(ignored.map(({ device, why }) => `${device} ${why}`)).toEqual([
      "/dev/efi /boot/efi: UEFI firmware's, and gateways boot by BIOS",
      "/dev/usb /media/usb: noauto",
      "/dev/hand /hand: noauto",
      "LABEL=gone /gone: not in the image, and marked nofail",
    ]);
  });

  it("keeps the subvolumes of btrfs", () => {
    const found = [
      root("/dev/sda1", "UUID=1 / btrfs subvol=@ 0 0\nUUID=1 /home btrfs subvol=@home 0 0\n", {
        type: "btrfs",
        uuid: "1",
      }),
    ];
    expect(chooseRoot(found).mounts.map(({ target, subvolume }) => [target, subvolume])).toEqual([
      ["/", "subvol=@"],
      ["/home", "subvol=@home"],
    ]);
  });

  const fstab = "LABEL=r / ext4\nLABEL=v /var ext4\n";
  const withVar = (...others: FoundFilesystem[]) => [root("/dev/sda1", fstab, { label: "r" }), ...others];
  it.each<[string, FoundFilesystem[], string, string]>([
    [
      "no root",
      [one("/dev/sda1", { label: "photos" })],
      "disk-without-root",
      '/dev/sda1 (ext4, 1 GiB, "photos")',
    ],
    ["nothing at all", [], "disk-without-root", "found: nothing"],
    [
      "two roots",
      [
        root("/dev/sda1", "LABEL=a / ext4\n", { label: "a" }),
        root("/dev/sdb1", "LABEL=b / ext4\n", { label: "b" }),
      ],
      "disk-with-several-roots",
      "/dev/sdb1",
    ],
    ["LUKS alone", [one("/dev/sda2", { type: "crypto_LUKS" })], "disk-encrypted", "/dev/sda2 (crypto_LUKS"],
    [
      "an encrypted /var",
      withVar(one("/dev/sda2", { type: "crypto_LUKS", label: "v" })),
      "disk-encrypted",
      "/var",
    ],
    [
      "a root with errors",
      [{ device: "/dev/sda1", type: "ext4", sizeBytes: GiB, error: "Structure needs cleaning" }],
      "disk-filesystem-damaged",
      "Structure needs cleaning",
    ],
    [
      "a /var with errors",
      withVar(one("/dev/sda2", { label: "v", error: "bad superblock" })),
      "disk-filesystem-damaged",
      "/var, cannot be read: bad superblock",
    ],
    ["a disk that was not given", withVar(), "disk-filesystem-missing", "LABEL=v at /var"],
    [
      "two filesystems with one label",
      withVar(one("/dev/sda2", { label: "v" }), one("/dev/sdb1", { label: "v" })),
      "disk-fstab-ambiguous",
      '/dev/sda2 (ext4, 1 GiB, "v") or /dev/sdb1',
    ],
    [
      "two filesystems at one place",
      [
        root("/dev/sda1", `${fstab}LABEL=w /var ext4\n`, { label: "r" }),
        one("/dev/v", { label: "v" }),
        one("/dev/w", { label: "w" }),
      ],
      "disk-fstab-ambiguous",
      "where something else is mounted too",
    ],
    [
      "a path that leads out",
      [
        root("/dev/sda1", "LABEL=r / ext4\nLABEL=v /var/../../x ext4\n", { label: "r" }),
        one("/dev/v", { label: "v" }),
      ],
      "disk-fstab-ambiguous",
      "no clean path",
    ],
  ])("is refused with %s", (_, found, code, text) => {
    const problem = refused(found);
    expect(problem.code).toBe(code);
    expect(problem.message).toContain(text);
  });

  it.each<[string, Partial<FoundFilesystem>, string]>([
    ["damaged", { error: "bad superblock" }, "disk-filesystem-damaged"],
    ["encrypted", { type: "crypto_LUKS" }, "disk-encrypted"],
  ])("is not taken where a %s filesystem beside it may hold the wanted one", (_, changes, code) => {
    const beside: FoundFilesystem = { device: "/dev/other", type: "ext4", sizeBytes: GiB, label: "o" };
    const found = (fstab: string) => [
      root("/dev/rescue", `LABEL=r / ext4\n${fstab}`, { label: "r" }),
      { ...beside, ...changes },
    ];
    const problem = refused(found(""));
    expect(problem).toMatchObject({ code, message: expect.stringContaining("/dev/other") });
    expect(problem.message).toContain("may hold another system");
    // Its own words for it say what it is.
    for (const options of ["noauto", "noauto,nofail"])
      expect(chooseRoot(found(`LABEL=o /old ext4 ${options}\n`)).mounts).toHaveLength(1);
    const only = one("/dev/sda1", { content: { hasInit: true, osRelease } });
    expect(refused([only, { ...beside, ...changes }]).code).toBe(code);
  });

  it("never throws anything but a refusal, whatever an fstab says", () => {
    const field = fc.oneof(
      fc.string(),
      fc.constantFrom("/", "/var", "UUID=1", "/dev/sda1", "swap", "ext4", "noauto", "\n"),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 40 }), (words) => {
        try {
          chooseRoot([
            root("/dev/sda1", words.join(" "), { ...part(1), uuid: "1" }),
            one("/dev/sda2", part(2)),
          ]);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
    );
  });

  it("is not guessed where RAID, LVM with a missing disk, or unknown filesystems hide it", () => {
    const codeOf = (...found: FoundFilesystem[]) => refused(found).code;
    const bare = (type: string, error?: string): FoundFilesystem => ({
      device: "/dev/vda1",
      type,
      sizeBytes: GiB,
      ...(error === undefined ? {} : { error }),
    });
    expect(codeOf(bare("linux_raid_member"))).toBe("disk-raid");
    expect(codeOf(bare("LVM2_member", "PV is missing"))).toBe("disk-volumes-incomplete");
    expect(codeOf(bare("zfs_member"))).toBe("disk-filesystem-unknown");
    expect(codeOf(bare("swap"), bare(""))).toBe("disk-without-root");
    const fstab = "/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 /var f2fs defaults 0 0\n";
    const second = { device: "/dev/vda2", ...part(2), sizeBytes: GiB };
    expect(codeOf(root("/dev/vda1", fstab, part(1)), { ...second, type: "f2fs" })).toBe(
      "disk-filesystem-unknown",
    );
    expect(codeOf(root("/dev/vda1", fstab, part(1)), { ...second, type: "linux_raid_member" })).toBe(
      "disk-raid",
    );
  });
});
