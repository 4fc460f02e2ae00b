import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InternalError } from "../../format/errors.ts";
import { reportStep, type Reporter } from "../../format/events.ts";
import { packageFiles, type Manifest } from "../../format/manifest.ts";
import { buildBootFiles } from "../boot/build-boot-files.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import { buildRamdisk } from "../ramdisk/build-ramdisk.ts";
import { fetchModules } from "../inputs/fetch-system.ts";
import { createRun } from "../../agent/system/run.ts";
import { raucFiles } from "../rauc/rauc-files.ts";
import { generatedFiles } from "../rootfs/generated-files.ts";
import { buildRootfs } from "../rootfs/build-rootfs.ts";
import type { RootfsSurvey } from "../rootfs/survey-rootfs.ts";
import { buildManifest } from "./build-manifest.ts";
import { describeFile } from "./describe-file.ts";
import type { WorkFolder } from "./package-folder.ts";
import { partitionTableFile } from "./partition-table.ts";
import { ramdiskKernel, type RamdiskKernel } from "./ramdisk-kernel.ts";
import { readRuntimeSegments } from "./runtime-segments.ts";
import { fillUpgradeScript } from "./upgrade-script.ts";

const upgradeTemplate = new URL("../../agent/stage1/upgrade.sh.template", import.meta.url);

export interface PartsInputs {
  plan: BuildPlan;
  survey: RootfsSurvey;
  /** The release's own overlay folder. */
  overlay: string | undefined;
  work: WorkFolder;
  cacheFolder: string;
}

/** Makes the five files of a package in `work.package` and the manifest that describes them. */
export async function buildParts(
  { plan, survey, overlay, work, cacheFolder }: PartsInputs,
  report: Reporter,
): Promise<{ manifest: Manifest; rootfsFromCache: boolean }> {
  const at = (name: string) => join(work.package, name);
  const kernel = await ramdiskKernel(plan, survey.source.root);
  if (plan.ramdiskKernel === "target")
    await fetchModules(survey.source, kernel.modulesFolder, { run: createRun(report), cacheFolder });

  const ramdisk = await buildRamdiskFile(plan, kernel, { work, cacheFolder }, report);
  await copyFile(kernel.image, at(packageFiles.kernel));
  await writeFile(at(packageFiles.partitionTable), partitionTableFile(plan));
  const rootfs = await reportStep(report, { step: "rootfs", title: "Pack the root filesystem" }, async () =>
    buildRootfs(
      {
        source: survey.source,
        kept: survey.selection.kept,
        overlay,
        generated: [
          ...generatedFiles({
            ...plan,
            mountPoints: plan.layout.volumes
              .map((volume) => volume.mountPoint)
              .filter((path) => path !== "/"),
          }),
          ...raucFiles(plan.rauc),
        ],
        cacheFolder,
        sourceDateEpoch: plan.sourceDateEpoch,
        compression: plan.compression,
      },
      at(packageFiles.rootfs),
      report,
    ),
  );

  return await reportStep(report, { step: "manifest", title: "Describe the package" }, async () => {
    const files = await Promise.all(
      [packageFiles.kernel, packageFiles.ramdisk, packageFiles.partitionTable].map((name) =>
        describeFile(work.package, name),
      ),
    );
    files.push({ name: packageFiles.rootfs, size: rootfs.sizeBytes, sha256: rootfs.sha256 });
    const segments = await readRuntimeSegments(
      at(packageFiles.ramdisk),
      ramdisk.runtimeSegments,
      ramdisk.runtimeCompression,
    );
    const script = fillUpgradeScript(await readFile(upgradeTemplate, "utf8"), {
      releaseName: plan.release.name,
      releaseVersion: plan.release.version,
      files,
      runtimeSegments: segments,
      runtimeUnpackedBytes: segments.reduce((sum, segment) => sum + segment.unpackedBytes, 0),
    });
    await writeFile(at(packageFiles.upgrade), script);
    files.unshift(await describeFile(work.package, packageFiles.upgrade));
    return {
      manifest: buildManifest({ plan, ramdisk, rootfs, files }),
      rootfsFromCache: rootfs.fromCache,
    };
  });
}

async function buildRamdiskFile(
  plan: BuildPlan,
  kernel: RamdiskKernel,
  { work, cacheFolder }: { work: WorkFolder; cacheFolder: string },
  report: Reporter,
) {
  const bootFiles = join(work.scratch, "grub");
  await buildBootFiles(bootFiles, report);
  const facts = await buildRamdisk(
    {
      kernel,
      keys: { format: 1, keys: [...plan.keys] },
      bootFiles,
      // Unpacks several times faster than xz, and unpacking is downtime.
      compression: "gzip",
      sourceDateEpoch: plan.sourceDateEpoch,
      cacheFolder,
    },
    join(work.package, packageFiles.ramdisk),
    report,
  );
  const { runtimeCompression } = facts;
  if (runtimeCompression === "none") throw new InternalError("a package's ramdisk is always compressed");
  if (facts.missingDrivers.length > 0) {
    report({
      kind: "note",
      level: "warn",
      message: `the ramdisk's kernel ${facts.kernelVersion} has no ${facts.missingDrivers.join(", ")}: gateways that need them will be refused`,
    });
  }
  return { ...facts, runtimeCompression };
}
