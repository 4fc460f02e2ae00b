import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { GiB, MiB } from "../../format/sizes.ts";
import { makeSmallPackage } from "../fixtures/small-package.ts";
import { diskSerial, makeStashDisk, type StashDisk } from "../fixtures/stash-disk.ts";

const prompt = /# (?:\u001b\[6n)?$/m;
const listFiles = fileURLToPath(new URL("../fixtures/list-files.sh", import.meta.url));
const kernelRelease = "3.10.0-1160.el7.x86_64";
/** Adapted, made anew, or left out on purpose. */
const mayDiffer =
  "\\.|\\./(etc/fstab|etc/dualroot|boot/slot.cfg|boot/initramfs-dualroot.*|usr/lib/dualroot|usr/bin/dualroot-status|usr/sbin/dualroot-rollback|" +
  "lost.found|var/lib/dualroot|swapfile|boot/dualroot|data|etc/rc.local|proc|sys|dev|var/tmp|usr/sbin|usr/bin)(/.*)?";
let cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const action of cleanUp.toReversed()) await action();
  cleanUp = [];
});

/** A system of a few megabytes with all that a careless copy loses. dracut is a stand-in: the real one runs in test/conversion. */
async function prepareOldSystem(root: string): Promise<void> {
  const script = `cd "$1"
    mkdir -p bin boot etc tmp usr/bin usr/sbin usr/lib var/cache/yum/x86_64 var/lib/db var/log lib/modules/${kernelRelease} home/maria "home/name with spaces" dev proc sys run
    cp "$(command -v busybox)" bin/busybox
    for library in $(ldd bin/busybox | grep -o '/[^ ]*'); do install -D "$library" ".$library"; done
    ln -s busybox bin/sh; ln -s ../../bin/busybox usr/bin/env; for name in cat echo; do ln -s busybox bin/$name; done
    printf '#!/bin/sh\\necho "root on $6 for $8" >"$7"\\n' >usr/sbin/dracut; chmod 755 usr/sbin/dracut; : >usr/sbin/lvm
    echo kernel >boot/vmlinuz-${kernelRelease}
    printf 'UUID=11111111-2222-4333-8444-555555555555 / ext4 noatime 0 1\\n/swapfile none swap sw 0 0\\nUUID=gone /old ext4 defaults 0 2\\n' >etc/fstab
    printf '#!/bin/sh\\nexit 0\\n' >etc/rc.local; chmod 755 etc/rc.local
    head -c 100000 /dev/urandom >swapfile; chmod 600 swapfile
    head -c 50000 /dev/urandom >var/cache/yum/x86_64/package.rpm; echo trash >tmp/trash
    head -c 300000 /dev/urandom >var/lib/db/data; ln var/lib/db/data var/lib/db/hard-link
    truncate -s 40M var/lib/db/sparse; printf end | dd of=var/lib/db/sparse bs=1 seek=41943000 conv=notrunc 2>/dev/null
    mkfifo run-me; ln -s /absolute/nowhere dangling; ln -s maria home/link
    echo key >home/maria/key; chown 1001:1001 home/maria home/maria/key; chmod 4750 home/maria/key
    setfattr -n user.bytes -v 0sAP8B home/maria/key
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 bin/busybox
    setfattr -n security.selinux -v 'system_u:object_r:etc_t:s0' etc/fstab
    setfattr -n security.selinux -v 'system_u:object_r:bin_t:s0' usr/bin/../../bin/busybox
    setfacl -m u:1005:rw- "home/name with spaces"; echo x >"home/name with spaces/\\$odd'name"
    printf 'old' >etc/replayed; head -c 4093 /dev/zero | tr '\\0' x >>etc/replayed
    setfattr -n trusted.mark -v yes var/log`;
  execFileSync("sh", ["-euc", script, "prepare", root]);
}

/** The last transaction is in the journal only, as after a power cut: one block of /etc/replayed. */
function leaveJournalDirty({ disk, partitionStart }: StashDisk, scratch: string): void {
  const image = `${disk}?offset=${partitionStart}`;
  const debugfs = (...args: string[]): string =>
    execFileSync("debugfs", [...args, image], { encoding: "utf8" });
  const block = debugfs("-R", "blocks /etc/replayed").trim();
  expect(block).toMatch(/^\d+$/);
  writeFileSync(join(scratch, "new"), `new${"y".repeat(4093)}`);
  writeFileSync(join(scratch, "commands"), `jo\njw -b ${block} ${join(scratch, "new")}\njc\n`);
  debugfs("-w", "-f", join(scratch, "commands"));
  expect(debugfs("-R", "stats -h")).toContain("needs_recovery");
  expect(debugfs("-R", "cat /etc/replayed").slice(0, 3)).toBe("old");
}

/** With the ramdisk from outside, as stage 1 would start it; without a command line by BIOS from the disk alone. */
async function boot({ disk, kernel, ramdisk }: StashDisk, commandLine?: string): Promise<RunningMachine> {
  const machine = await launch(
    {
      name: "old-system",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true }],
      nics: [],
      ...(commandLine === undefined ? {} : { boot: { kernel, initrd: ramdisk, append: commandLine } }),
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(kernel), consoleLog: `${disk}.log` },
  );
  cleanUp.push(() => machine.kill());
  return machine;
}

test("the old system lies in slot B as it was, its journal replayed, also when the power was cut in between", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-old-system-"));
  cleanUp.push(() => rmSync(folder, { recursive: true }));
  const diskBytes = await makeSmallPackage(join(folder, "package"), folder);
  const conversion = await makeStashDisk(folder, join(folder, "package"), {
    diskBytes,
    role: "dev",
    mode: "disk",
    oldSystem: {
      kernelRelease,
      commandLine: `BOOT_IMAGE=/vmlinuz root=UUID=x ro rd.lvm.lv=a/b quiet console=ttyS0,115200`,
      archiveBytes: 24 * MiB,
      prepare: prepareOldSystem,
    },
  });
  const listing = execFileSync("sh", [listFiles, join(folder, "old"), mayDiffer], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
    .filter((line) => !/^\.\/(tmp\/trash|var\/cache\/yum\/.*|etc\/replayed) ?/.test(line));
  leaveJournalDirty(conversion, folder);

  // The power goes when nothing is left of the old system but its archive.
  const first = await boot(conversion, conversion.commandLine);
  await first.console.waitFor(/Keep the old system +done/, 240);
  await first.console.waitFor(/Unpack the new system/, 240);
  await first.kill();
  const machine = await boot(conversion);
  await machine.console.waitFor(/dualroot: resumed; start 1/, 120);
  await machine.console.waitFor(/The old system \(Old\) lives on as slot B/, 400);
  await machine.console.waitFor(/dualroot: converted/, 240);
  await machine.ended(60);

  const rescue = await boot(conversion, "dualroot.mode=rescue quiet console=ttyS0,115200");
  await rescue.console.waitFor(/rescue system/, 120);
  await rescue.console.waitFor(prompt, 60);
  rescue.console.type("stty -echo; PS1=; dmesg -n 1");
  const run = async (command: string): Promise<string> => (await rescue.console.run(command, 120)).output;
  await run(
    "mkdir -p /mnt /mnt2; lvm vgchange -ay >/dev/null 2>&1; mount -o ro /dev/mapper/VA-root_b /mnt; mount -o ro /dev/vda2 /mnt2",
  );
  const script = Buffer.from(readFileSync(listFiles)).toString("base64");
  await run(`echo ${script} | base64 -d >/tmp/list-files.sh`);
  const restored = (await run(`sh /tmp/list-files.sh /mnt '${mayDiffer}'`)).split(/\r?\n/);
  expect(restored.filter((line) => !line.startsWith("./etc/replayed"))).toEqual(listing);
  expect(listing.join("\n")).toMatch(/hard-link .* links 2 /);
  expect(listing.join("\n")).toContain("system.posix_acl_access=0x");
  expect(listing.join("\n")).toContain("security.capability=0x");
  expect(await run("head -c 3 /mnt/etc/replayed")).toBe("new");
  expect(Number(await run("stat -c %b /mnt/var/lib/db/sparse"))).toBeLessThan(100);
  expect(
    await run("ls /mnt/swapfile /mnt/tmp/trash /mnt/var/lib/dualroot/stash /mnt/var/cache/yum/x86_64 2>&1"),
  ).not.toMatch(/^\/mnt/m);
  const settings = await run("cat /mnt/etc/fstab /mnt/boot/slot.cfg /mnt/boot/initramfs-dualroot*");
  expect(settings).toMatch(/^\/dev\/mapper\/VA-root_b \/ ext4 noatime 0 1/m);
  expect(settings).toMatch(/^# was on the old disk: UUID=gone/m);
  expect(settings).toMatch(/^UUID=\S+ \/boot\/dualroot ext4/m);
  expect(settings).toContain(`set dualroot_kernel='/boot/vmlinuz-${kernelRelease}'`);
  expect(settings).toContain("set dualroot_arguments='quiet console=ttyS0,115200 rd.lvm.lv=VA/root_b'");
  expect(settings).toContain(`root on ext4 for ${kernelRelease}`);
  expect(
    await run(
      "getfattr -n security.selinux --only-values /mnt/etc/fstab /mnt/usr/lib/dualroot/health-gate 2>/dev/null",
    ),
  ).toMatch(/etc_t:s0.*bin_t:s0/s);
  expect(await run("cat /mnt/etc/rc.local /mnt/etc/dualroot/system.json")).toMatch(
    /health-gate.*exit 0.*"slot": "B".*"oldSystem": true/s,
  );
  expect(await run("grep -a _OK /mnt2/grub/grubenv | tr '\\n' ' '")).toContain("A_OK=1 B_OK=1");
  expect(await run("lvm lvs --noheadings -o lv_name VA")).toContain("stash");
});
