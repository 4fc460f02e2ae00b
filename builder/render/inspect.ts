import type { Manifest } from "../../format/manifest.ts";
import { formatSize } from "../../format/sizes.ts";
import type { PackageFacts } from "../package/package-facts.ts";
import { layoutTree } from "./layout-tree.ts";
import { platformRows } from "./platforms.ts";
import { table } from "./table.ts";
import { describeRauc } from "./rauc.ts";
import { describeKeeping } from "./old-system.ts";

export function inspectLines({ manifest, files, signature, xz }: PackageFacts): string[] {
  const { target, ramdisk, requirements } = manifest;
  return [
    `${manifest.name} ${manifest.version} for ${manifest.compatible} (counter ${manifest.counter})`,
    "",
    ...table(
      files.map((file) => [
        file.name,
        formatSize(file.size),
        file.presentBytes === file.size
          ? ""
          : file.presentBytes === undefined
            ? "MISSING"
            : `HAS ${file.presentBytes} BYTES`,
        file.sha256,
      ]),
      { indent: "  ", right: [1] },
    ),
    "",
    ...table(
      [
        [
          "signature",
          signature ? `by key ${signature.keyId}; not verified, use \`dualroot verify\`` : "MISSING",
        ],
        [
          "needs",
          `${requirements.architecture}, ${requirements.firmware}, disk of ${formatSize(requirements.diskBytes)}, ${formatSize(requirements.ramdiskBytes)} of memory besides the package (${formatSize(packageBytes(manifest))})`,
        ],
        ["target", `${target.osName}, kernel ${target.kernelVersion}, network by ${target.network}`],
        [
          "root filesystem",
          `${target.entries} entries, ${formatSize(target.unpackedBytes)}; ${xz ? `${xz.blocks} xz ${xz.blocks === 1 ? "block" : "blocks"}` : "no xz index"}`,
        ],
        [
          "initramfs",
          target.rebuildInitramfs === "none"
            ? "as it is"
            : `rebuilt on the gateway by ${target.rebuildInitramfs}`,
        ],
        ...platformRows(target.platforms ?? []),
        ["command line", target.commandLine || "(nothing added)"],
        [
          "ramdisk",
          `kernel ${ramdisk.kernelVersion}, ${ramdisk.drivers.length} drivers, ${ramdisk.runtimeSegments.length} parts for stage 1 (${ramdisk.runtimeCompression})`,
        ],
        ["preserved", manifest.preserve.paths.join(", ") || "(identity only)"],
        ["old system", describeKeeping(manifest.keepOldSystem)],
        ["RAUC", describeRauc(target.raucTrusts)],
      ],
      { indent: "  " },
    ),
    "",
    ...layoutTree(manifest.layout, requirements.diskBytes),
  ];
}

function packageBytes(manifest: Manifest): number {
  return manifest.files.reduce((sum, file) => sum + file.size, 0);
}
