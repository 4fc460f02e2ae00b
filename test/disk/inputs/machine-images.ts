import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openHelper } from "../../../builder/helper/open-helper.ts";
import { StepError } from "../../../format/errors.ts";
import { MiB } from "../../../format/sizes.ts";
import { makeLuks } from "../../fixtures/make-luks.ts";
import { makeTree } from "../helper/tree.ts";

const [rootId, varId] = ["11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa"];

/** A system's files, in `FOLDER/root` and `FOLDER/root.tar`: something in every place that is a filesystem of its own. */
export async function makeSystem(folder: string): Promise<void> {
  const root = join(folder, "root");
  for (const name of ["usr/lib/systemd", "boot/grub", "var/lib", "etc"])
    mkdirSync(join(root, name), { recursive: true });
  await makeTree(root);
  const files: Record<string, string> = {
    "etc/fstab": `UUID=${rootId} / ext4 defaults 0 1\nLABEL=boot /boot ext4 defaults 0 2\nUUID=${varId} /var xfs defaults 0 0\n/dev/sr0 /media/cdrom iso9660 noauto 0 0\n`,
    "etc/os-release": 'PRETTY_NAME="Test Linux 1"\n',
    "usr/lib/systemd/systemd": "",
    "boot/grub/grub.cfg": "of the boot partition",
    "var/lib/state": "of the volume",
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
  execFileSync(
    "tar",
    ["--xattrs", "--xattrs-include=*", "--sparse", "--numeric-owner", "-C", root, "-cf", "root.tar", "."],
    { cwd: folder },
  );
}

/** Raw disks as a hypervisor leaves them when its machine loses power: `one.raw` has all, `two-a.raw` and `two-b.raw` share it; those to be refused. */
export async function makeDisks(folder: string, kernel: { image: string }): Promise<void> {
  const sizes: [string, number][] = [
    ["one.raw", 1000],
    ["two-a.raw", 400],
    ["two-b.raw", 330],
    ["roots.raw", 40],
    ["luks.raw", 24],
    ["data.raw", 24],
    ["errors.raw", 24],
    ["half.raw", 40],
    ["other-half.raw", 40],
  ];
  for (const [name, mebibytes] of sizes) {
    writeFileSync(join(folder, name), "");
    truncateSync(join(folder, name), mebibytes * MiB);
  }
  makeLuks(join(folder, "luks.part"), "8M");
  const helper = await openHelper({
    disks: sizes.map(([name]) => ({ file: join(folder, name), format: "raw" })),
    kernel,
  });
  const shell = async (script: string) =>
    await helper.run(["sh", "-ec", `exec >&2; ${script}`]).catch((error: unknown) => {
      throw error instanceof StepError ? new Error(`${error.message}: ${error.stderrTail}`) : error;
    });
  const fill = async () =>
    await helper.run(["tar", "-C", "/mnt", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xp"], {
      stdin: { file: join(folder, "root.tar") },
    });
  try {
    const cut = (disk: string) => `sgdisk --new=1:0:+1M --typecode=1:ef02 --new=2:0:+32M --new=3:0:0 ${disk}`;
    await shell(`${cut("/dev/vdb")}; sgdisk --new=1:0:0 /dev/vdc
      mkfs.ext4 -q -L boot /dev/vdb2; mkfs.ext4 -q -U ${rootId} /dev/vdb3; mkfs.xfs -q -m uuid=${varId} /dev/vdc1
      mount /dev/vdb3 /mnt; mkdir /mnt/boot /mnt/var; mount /dev/vdb2 /mnt/boot; mount /dev/vdc1 /mnt/var`);
    await fill();
    await shell(`umount /mnt/boot /mnt/var; umount /mnt
      sgdisk --new=1:0:+16M --new=2:0:0 /dev/vdd
      for part in 1 2; do
        mkfs.ext4 -q -U random /dev/vdd$part; mkdir /r$part; mount /dev/vdd$part /r$part; mkdir /r$part/etc
        echo "/dev/sda$part / ext4 defaults 0 1" >/r$part/etc/fstab; umount /r$part
      done
      sgdisk --new=1:0:0 /dev/vde; sgdisk --new=1:0:0 /dev/vdf; mkfs.ext4 -q -L data /dev/vdf1
      sgdisk --new=1:0:0 /dev/vdg; mkfs.ext4 -q /dev/vdg1; mkdir /e; mount /dev/vdg1 /e; mkdir /e/etc
      echo "/dev/sda1 / ext4 defaults 0 1" >/e/etc/fstab; umount /e; debugfs -w -R "set_super_value state 2" /dev/vdg1
      sgdisk --new=1:0:0 /dev/vdh; sgdisk --new=1:0:0 /dev/vdi
      pvcreate -q /dev/vdh1 /dev/vdi1; vgcreate -q span /dev/vdh1 /dev/vdi1; lvcreate -q -l 100%FREE -n root span; mkfs.ext4 -q /dev/span/root
      vgchange -q -an`);
    await helper.run(["dd", "of=/dev/vde1", "bs=64k", "conv=fsync"], {
      stdin: readFileSync(join(folder, "luks.part")).subarray(0, 4 * MiB),
    });
    await shell(`${cut("/dev/vda")}; pvcreate -q /dev/vda3; vgcreate -q va-b /dev/vda3
      lvcreate -q -L 400M -n root va-b; lvcreate -q -L 400M -n var va-b
      mkfs.ext4 -q -L boot /dev/vda2; mkfs.ext4 -q -U ${rootId} /dev/va-b/root; mkfs.xfs -q -m uuid=${varId} /dev/va-b/var
      mount /dev/va-b/root /mnt; mkdir /mnt/boot /mnt/var; mount /dev/vda2 /mnt/boot; mount /dev/va-b/var /mnt/var`);
    await fill();
    // Not unmounted: there are journals to replay.
    await shell("sync");
  } finally {
    await helper.kill();
  }
}

/** The two disks as one OVA, as VMware and VirtualBox export machines; the second disk is named first. */
export function makeOva(folder: string): void {
  const convert = (from: string, to: string, subformat: string) =>
    execFileSync(
      "qemu-img",
      ["convert", "-f", "raw", "-O", "vmdk", "-o", `subformat=${subformat}`, from, to],
      {
        cwd: folder,
      },
    );
  convert("two-a.raw", "machine-disk1.vmdk", "streamOptimized");
  convert("two-b.raw", "machine-disk2.vmdk", "streamOptimized");
  const size = (name: string) => statSync(join(folder, name)).size;
  const item = (id: number, type: number, rest: string) =>
    `<Item><rasd:InstanceID>${id}</rasd:InstanceID><rasd:ResourceType>${type}</rasd:ResourceType>${rest}</Item>`;
  const disk = (id: number, place: number, name: string) =>
    item(
      id,
      17,
      `<rasd:Parent>3</rasd:Parent><rasd:AddressOnParent>${place}</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/${name}</rasd:HostResource>`,
    );
  writeFileSync(
    join(folder, "machine.ovf"),
    `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
<References><File ovf:href="machine-disk2.vmdk" ovf:id="f2" ovf:size="${size("machine-disk2.vmdk")}"/><File ovf:href="machine-disk1.vmdk" ovf:id="f1" ovf:size="${size("machine-disk1.vmdk")}"/></References>
<DiskSection><Info/><Disk ovf:diskId="d2" ovf:fileRef="f2" ovf:capacity="346030080"/><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="419430400"/></DiskSection>
<VirtualSystem ovf:id="machine"><Info/><VirtualHardwareSection><Info/>${item(3, 6, "")}${disk(4, 1, "d2")}${disk(5, 0, "d1")}</VirtualHardwareSection></VirtualSystem></Envelope>
`,
  );
  const names = ["machine.ovf", "machine-disk1.vmdk", "machine-disk2.vmdk"];
  const lines = names.map(
    (name) =>
      `SHA256(${name})= ${createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex")}\n`,
  );
  writeFileSync(join(folder, "machine.mf"), lines.join(""));
  execFileSync(
    "tar",
    ["--format=ustar", "-cf", "machine.ova", "machine.ovf", "machine.mf", ...names.slice(1)],
    {
      cwd: folder,
    },
  );
}
