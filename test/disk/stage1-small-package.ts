import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../builder/system/cache-folder.ts";
import { planPartitions } from "../../agent/plan/partitions.ts";
import { sha256File } from "../../agent/system/files.ts";
import { buildBootFiles } from "../../builder/boot/build-boot-files.ts";
import { readRuntimeSegments } from "../../builder/package/runtime-segments.ts";
import { fillUpgradeScript } from "../../builder/package/upgrade-script.ts";
import { buildRamdisk } from "../../builder/ramdisk/build-ramdisk.ts";
import { silent } from "../../format/events.ts";
import { manifestName, packageFiles, signatureName, type Manifest } from "../../format/manifest.ts";
import { encodeSgdiskBackup, gptSectorBytes } from "../../format/partition-table.ts";
import { keyIdOf, rawPublicKey, signManifest } from "../../format/signature.ts";
import { GiB, MiB } from "../../format/sizes.ts";
import { debianKernel } from "../fixtures/kernels.ts";

const template = fileURLToPath(new URL("../../agent/stage1/upgrade.sh.template", import.meta.url));

/** A signed package with the real runtime and agent; only the root filesystem is no such thing, which stage 1 never opens. */
export async function makeSmallPackage(folder: string, scratch: string): Promise<Manifest> {
  await mkdir(folder, { recursive: true });
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const rawKey = rawPublicKey(publicKey);
  const key = { keyId: keyIdOf(rawKey), role: "dev" as const, publicKey: rawKey.toString("base64") };
  const kernel = await debianKernel("cloud-amd64");
  await buildBootFiles(join(scratch, "grub"), silent);
  const image = join(folder, packageFiles.ramdisk);
  const ramdisk = await buildRamdisk(
    {
      kernel,
      keys: { format: 1, keys: [key] },
      bootFiles: join(scratch, "grub"),
      compression: "gzip",
      sourceDateEpoch: 0,
      cacheFolder: cacheFolder(),
      profile: "virtual",
    },
    image,
    silent,
  );
  const layout: Manifest["layout"] = {
    biosBootBytes: 2 * MiB,
    bootBytes: GiB,
    volumeGroup: "VA",
    extentBytes: 4 * MiB,
    volumes: [
      { name: "root_a", sizeBytes: 2 * GiB, filesystem: "ext4", mountPoint: "/", slot: "A", growWeight: 0 },
      { name: "root_b", sizeBytes: 2 * GiB, filesystem: "ext4", mountPoint: "/", slot: "B", growWeight: 0 },
    ],
  };
  const table = planPartitions(layout, (8 * GiB) / gptSectorBytes, "0".repeat(32));
  await writeFile(join(folder, packageFiles.kernel), await readFile(kernel.image));
  await writeFile(join(folder, packageFiles.partitionTable), encodeSgdiskBackup(table));
  await writeFile(join(folder, packageFiles.rootfs), Buffer.alloc(3 * MiB, "not opened by stage 1 "));
  const segments = await readRuntimeSegments(image, ramdisk.runtimeSegments, "gzip");
  const { upgrade, ...others } = packageFiles;
  const script = fillUpgradeScript(await readFile(template, "utf8"), {
    releaseName: "it's a demo",
    releaseVersion: "1",
    files: await Promise.all(Object.values(others).map((name) => describeFile(folder, name))),
    runtimeSegments: segments,
    runtimeUnpackedBytes: segments.reduce((sum, segment) => sum + segment.unpackedBytes, 0),
  });
  await writeFile(join(folder, upgrade), script);
  const manifest: Manifest = {
    format: 1,
    name: "it's a demo",
    version: "1",
    compatible: "demo-gateway",
    counter: 1,
    sourceDateEpoch: 0,
    layout,
    requirements: { architecture: "x86_64", firmware: "bios", ramdiskBytes: 200 * MiB, diskBytes: 8 * GiB },
    preserve: { paths: [] },
    keepOldSystem: "auto",
    target: {
      osName: "Debian GNU/Linux 12",
      kernel: `/boot/vmlinuz-${kernel.version}`,
      initramfs: `/boot/initrd.img-${kernel.version}`,
      kernelVersion: kernel.version,
      commandLine: "",
      network: "networkd",
      rebuildInitramfs: "none",
      drivers: ramdisk.drivers,
      unpackedBytes: 300 * MiB,
      entries: 1000,
      indexSha256: "0".repeat(64),
    },
    ramdisk: {
      kernelVersion: ramdisk.kernelVersion,
      drivers: ramdisk.drivers,
      runtimeSegments: ramdisk.runtimeSegments,
      runtimeCompression: "gzip",
    },
    files: await Promise.all(Object.values(packageFiles).map((name) => describeFile(folder, name))),
  };
  const bytes = Buffer.from(JSON.stringify(manifest, undefined, 2));
  await writeFile(join(folder, manifestName), bytes);
  await writeFile(join(folder, signatureName), JSON.stringify(signManifest(bytes, privateKey)));
  return manifest;
}

async function describeFile<Name extends string>(
  folder: string,
  name: Name,
): Promise<{ name: Name; size: number; sha256: string }> {
  const path = join(folder, name);
  return { name, size: (await stat(path)).size, sha256: await sha256File(path) };
}
