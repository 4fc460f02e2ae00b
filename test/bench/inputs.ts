import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { openHelper } from "../../builder/helper/open-helper.ts";
import { openSource } from "../../builder/inputs/open-source.ts";
import { silent } from "../../format/events.ts";
import { GiB } from "../../format/sizes.ts";
import { fixtureKeys } from "../fixtures/fixture-package.ts";
import { debianKernel, type KernelFixture } from "../fixtures/kernels.ts";
import { targetRootFilesystem } from "../fixtures/root-filesystem.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";
import { packRoot, xzLevel } from "./pack-root.ts";

const program = fileURLToPath(new URL("../../builder/dualroot.mjs", import.meta.url));
const rounds = 3;
/** Seconds and MiB. */
const rebuildTarget = 5;
const memoryTarget = 300;

/**
 * An OVA (GPT, LVM, ext4, stream-optimised) into rootfs.tar.xz against `xz -T0` of the tar of the same files, in turns; both read
 * from memory. The helper's ramdisk and state are built before.
 */
export async function benchInputs(): Promise<BenchRow[]> {
  const kernel = await debianKernel("cloud-amd64");
  process.env["DUALROOT_HELPER_KERNEL"] = kernel.image;
  process.env["DUALROOT_ACCELERATOR"] = "tcg";
  const folder = mkdtempSync(join(tmpdir(), "dualroot-bench-"));
  try {
    await makeMachine(folder, kernel);
    const ours: number[] = [];
    const peer: number[] = [];
    for (let round = 0; round < rounds; round++) {
      rmSync(join(folder, "cache"), { recursive: true, force: true });
      ours.push(await seconds(async () => await build(folder)));
      peer.push(
        await seconds(async () => {
          execFileSync("sh", ["-c", `xz -T0 -${xzLevel} <packed.tar >peer.tar.xz`], { cwd: folder });
        }),
      );
    }
    const { rebuilt, memory } = await rebuildPackage(folder, kernel);
    return [
      benchRow(
        "inputs: OVA to rootfs.tar.xz, against xz -T0 of its tar",
        median(ours),
        median(peer),
        1.1,
        "s",
      ),
      benchRow(
        "inputs: dualroot build again, one file of the overlay changed, against the limit",
        median(rebuilt),
        rebuildTarget,
        1,
        "s",
      ),
      benchRow("inputs: memory of the builder, against the limit", memory, memoryTarget, 1, "MiB"),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function build(folder: string): Promise<void> {
  const scratch = mkdtempSync(join(folder, "scratch-"));
  const source = await openSource(join(folder, "machine.ova"), {
    scratch: join(scratch, "rootfs"),
    digestOf: async () => "",
    cacheFolder: join(folder, "cache"),
    allowBackingFile: false,
    report: silent,
  });
  try {
    await packRoot(source, folder, join(folder, "rootfs.tar.xz"));
  } finally {
    await source.close();
  }
  rmSync(scratch, { recursive: true });
}

/** The whole program: seconds of a build after a change of the overlay, and the most memory in MiB that any of them took. */
async function rebuildPackage(
  folder: string,
  kernel: KernelFixture,
): Promise<{ rebuilt: number[]; memory: number }> {
  const keys = await fixtureKeys();
  mkdirSync(join(folder, "overlay"));
  writeFileSync(
    join(folder, "release.yaml"),
    stringify({
      name: "bench",
      version: "1",
      compatible: "bench-gateway",
      counter: 1,
      sign: { key: join(keys, "release.key") },
      trustedKeys: [join(keys, "release.pub")],
      rootfs: { source: "machine.ova", overlay: "overlay" },
      kernel: { image: kernel.image, modules: kernel.modulesFolder },
      compression: { xzLevel },
    }),
  );
  const memory: number[] = [];
  const rebuilt: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    writeFileSync(join(folder, "overlay", "motd"), `round ${round}\n`);
    const begin = performance.now();
    execFileSync(
      process.execPath,
      ["--import", tellMemory, program, "build", "release.yaml", "--output", `package-${round}`],
      { cwd: folder, env: { ...process.env, DUALROOT_CACHE: join(folder, "cache") }, stdio: "ignore" },
    );
    // The first one fills the cache.
    if (round > 0) rebuilt.push((performance.now() - begin) / 1000);
    memory.push(Number(readFileSync(join(folder, "memory"), "utf8")) / 1024);
  }
  return { rebuilt, memory: Math.max(...memory) };
}

/** Writes the most memory that the process ever had, in KiB, beside what it made. */
const tellMemory =
  "data:text/javascript,import{writeFileSync}from'node:fs';process.on('exit',()=>writeFileSync('memory',String(process.resourceUsage().maxRSS)))";

/** The tests' target as an OVA, and `packed.tar`: what of it is packed. */
async function makeMachine(folder: string, kernel: KernelFixture): Promise<void> {
  const shell = (script: string, ...words: string[]) =>
    execFileSync("sh", ["-euc", script, ...words], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  shell('xz -dcT0 <"$0" >rootfs.tar 2>/dev/null || cp "$0" rootfs.tar', await targetRootFilesystem());
  writeFileSync(join(folder, "disk.raw"), "");
  truncateSync(join(folder, "disk.raw"), 2 * GiB);
  const helper = await openHelper({ disks: [{ file: join(folder, "disk.raw"), format: "raw" }], kernel });
  try {
    await helper.run([
      "sh",
      "-ec",
      `exec >&2; sgdisk --new=1:0:0 --typecode=1:8e00 /dev/vda; pvcreate -q /dev/vda1; vgcreate -q VA /dev/vda1
       lvcreate -q -l 100%FREE -n root VA; mkfs.ext4 -q /dev/VA/root; mount /dev/VA/root /mnt`,
    ]);
    await helper.run(["tar", "-C", "/mnt", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xp"], {
      stdin: { file: join(folder, "rootfs.tar") },
    });
    await helper.run(["sh", "-c", "echo '/dev/VA/root / ext4 defaults 0 1' >/mnt/etc/fstab"]);
    await helper.close();
  } finally {
    await helper.kill();
  }
  shell(`qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw disk.vmdk; rm disk.raw
    cat >machine.ovf <<X
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References><File ovf:href="disk.vmdk" ovf:id="f"/></References><DiskSection><Disk ovf:diskId="d" ovf:fileRef="f"/></DiskSection>
<VirtualSystem ovf:id="m"/></Envelope>
X
    for file in machine.ovf disk.vmdk; do echo "SHA256($file)= $(sha256sum $file | cut -c-64)"; done >machine.mf
    tar --format=ustar -cf machine.ova machine.ovf machine.mf disk.vmdk; rm disk.vmdk`);
  // Makes the helper's ramdisk and state, too.
  await build(folder);
  shell("xz -dcT0 <rootfs.tar.xz >packed.tar; cat machine.ova >/dev/null");
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
