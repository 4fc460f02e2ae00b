import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { openHelper } from "../../builder/helper/open-helper.ts";
import { cacheFolder } from "../../builder/system/cache-folder.ts";
import { userError } from "../../format/errors.ts";
import { GiB } from "../../format/sizes.ts";
import { targetRootFilesystem } from "../fixtures/root-filesystem.ts";
import { debianKernel, type KernelFixture } from "../fixtures/kernels.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";

const rounds = 5;
const program = fileURLToPath(new URL("../../builder/dualroot.mjs", import.meta.url));
/** The ramdisk without Node, as it would be sent or stored, in bytes; boot to power-off, in seconds. */
const sizeTarget = 16_000_000;
const bootTarget = 3;

/**
 * `dualroot helper`, the program as people start it, against libguestfs with the same kernel, both without KVM, in turns;
 * libguestfs' appliance is built before, and so are our ramdisk and state. Needs libguestfs-tools.
 */
export async function benchHelper(): Promise<BenchRow[]> {
  refuseWithoutPeer();
  makeModulesFolder();
  const kernel = await debianKernel("cloud-amd64");
  const scratch = mkdtempSync(join(tmpdir(), "dualroot-bench-"));
  const shell = shellWith(kernel, scratch);
  try {
    copyFileSync(await targetRootFilesystem(), join(scratch, "rootfs.tar"));
    await makeDisk(kernel, scratch);
    // Appliance, ramdisk, state, page cache.
    shell("guestfish -a disk.qcow2 --ro run");
    shell(`${list()} && ${list("--cold")}`);

    const listPeer = "guestfish --ro -a disk.qcow2 run : list-filesystems";
    const [cold, coldPeer] = inTurns(shell, list("--cold"), listPeer);
    const [warm, warmPeer] = inTurns(shell, list(), listPeer);
    const mount = "vgchange -qay VA >&2 && mount -o ro /dev/VA/root /mnt";
    const [out, outPeer] = inTurns(
      shell,
      `dr helper --disk disk.qcow2:ro -- sh -c '${mount} && tar -b 256 -C /mnt --xattrs -c .' >out.tar`,
      "virt-tar-out -a disk.qcow2 / - >peer.tar",
    );
    const create = "pvcreate -q /dev/vda && vgcreate -q VA /dev/vda && lvcreate -q -l 100%FREE -n root VA";
    const [made, madePeer] = inTurns(
      shell,
      `rm -f new.img; truncate -s 1G new.img; dr helper -i --disk new.img -- sh -c '(${create} && mkfs.ext4 -q /dev/VA/root) >&2 && mount /dev/VA/root /mnt && tar -b 256 -C /mnt -x' <rootfs.tar`,
      "rm -f peer.img; guestfish sparse peer.img 1G : run : pvcreate /dev/sda : vgcreate VA /dev/sda : lvcreate-free root VA 100 : mkfs ext4 /dev/VA/root : mount /dev/VA/root / : tar-in rootfs.tar /",
    );
    const [boot] = inTurns(shell, "dr helper --cold -- true", "true");
    return [
      benchRow("helper: list filesystems, booted, against libguestfs", cold, coldPeer, 0.25, "s"),
      benchRow("helper: list filesystems, restored, against libguestfs", warm, warmPeer, 0.12, "s"),
      benchRow("helper: tar out of LVM + ext4, against virt-tar-out", out, outPeer, 0.3, "s"),
      benchRow("helper: make LVM + ext4 and untar, against guestfish", made, madePeer, 0.35, "s"),
      benchRow("helper: boot to power-off, against the limit", boot, bootTarget, 1, "s"),
      ...(await sizeRows(kernel)),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function list(option = ""): string {
  return `dr helper ${option} --disk disk.qcow2:ro -- sh -c 'vgchange -qay VA >&2; blkid'`;
}

function refuseWithoutPeer(): void {
  try {
    execFileSync("guestfish", ["--version"], { stdio: "ignore" });
  } catch {
    throw userError({
      code: "missing-tool",
      message: "This bench measures against libguestfs, which is not installed.",
      hint: "apt-get install --no-install-recommends libguestfs-tools",
    });
  }
}

/** supermin copies the folder itself from this host, though its modules come from elsewhere; a container has none. */
function makeModulesFolder(): void {
  try {
    mkdirSync("/lib/modules", { recursive: true });
  } catch (error) {
    throw userError(
      {
        code: "missing-folder",
        message: "libguestfs builds its appliance only where there is a folder /lib/modules.",
        hint: "As root: mkdir /lib/modules",
      },
      "badInput",
      { cause: error },
    );
  }
}

/** LVM and ext4 in a qcow2 with the tests' target. */
async function makeDisk(kernel: KernelFixture, scratch: string): Promise<void> {
  const raw = join(scratch, "disk.raw");
  writeFileSync(raw, "");
  truncateSync(raw, GiB);
  const helper = await openHelper({ disks: [{ file: raw }], kernel });
  try {
    const script =
      "pvcreate -q /dev/vda && vgcreate -q VA /dev/vda && lvcreate -q -l 100%FREE -n root VA && mkfs.ext4 -q /dev/VA/root && mount /dev/VA/root /mnt";
    await helper.run(["sh", "-c", script]);
    await helper.run(["tar", "-C", "/mnt", "-x"], { stdin: { file: join(scratch, "rootfs.tar") } });
    await helper.close();
  } finally {
    await helper.kill();
  }
  execFileSync("qemu-img", ["convert", "-O", "qcow2", raw, join(scratch, "disk.qcow2")]);
}

/** Runs a line of shell in the scratch folder, `dr` being our program; returns seconds. */
function shellWith(kernel: KernelFixture, scratch: string): (script: string) => number {
  const environment = {
    ...process.env,
    DUALROOT_ACCELERATOR: "tcg",
    DUALROOT_HELPER_KERNEL: kernel.image,
    LIBGUESTFS_BACKEND: "direct",
    LIBGUESTFS_BACKEND_SETTINGS: "force_tcg",
    LIBGUESTFS_CACHEDIR: scratch,
    SUPERMIN_KERNEL: kernel.image,
    SUPERMIN_MODULES: kernel.modulesFolder,
  };
  return (script) => {
    const begin = performance.now();
    const whole = `dr() { "${process.execPath}" "${program}" "$@"; }; ${script}`;
    execFileSync("bash", ["--norc", "-o", "pipefail", "-ec", whole], {
      cwd: scratch,
      env: environment,
      stdio: ["ignore", "ignore", "inherit"],
    });
    return (performance.now() - begin) / 1000;
  };
}

/** Medians of both, taken in turns so that a busy moment meets both. */
function inTurns(shell: (script: string) => number, ours: string, peer: string): [number, number] {
  const measured = Array.from({ length: rounds }, () => [shell(ours), shell(peer)] as const);
  return [median(measured.map(([ours]) => ours)), median(measured.map(([, peer]) => peer))];
}

async function sizeRows(kernel: KernelFixture): Promise<BenchRow[]> {
  const helper = await openHelper({ disks: [], kernel });
  try {
    const free = (await helper.run(["free", "-b"])).stdout.toString();
    const [, total, used] = /^Mem:\s+(\d+)\s+(\d+)/m.exec(free) ?? [];
    process.stderr.write(
      `helper: ramdisk ${helper.facts.ramdiskBytes} bytes as it is booted; memory used after the start ${used} of ${total} bytes\n`,
    );
    const folder = join(cacheFolder(), "helper");
    const newest = execFileSync("sh", ["-c", 'ls -t "$0"/ramdisk-*.img | head -n 1', folder])
      .toString()
      .trim();
    if (statSync(newest).size !== helper.facts.ramdiskBytes)
      throw new Error(`${newest} is not the helper's ramdisk`);
    const compressed = gzipSync(readFileSync(newest)).length;
    return [
      benchRow(
        "helper: ramdisk without Node, by gzip, against the limit",
        compressed,
        sizeTarget,
        1,
        "bytes",
      ),
    ];
  } finally {
    await helper.kill();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
