import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { syncPath } from "../../agent/system/files.ts";
import { createRun } from "../../agent/system/run.ts";
import { reportStep, type Reporter } from "../../format/events.ts";
import { manifestName, signatureName, type Manifest } from "../../format/manifest.ts";
import { signManifest } from "../../format/signature.ts";
import { planBuild, type BuildPlan } from "../plan/build-plan.ts";
import { sourceDateEpoch } from "../plan/source-date-epoch.ts";
import { buildBundle } from "../rauc/build-bundle.ts";
import { checkSigner } from "../rauc/check-signer.ts";
import { readRaucFacts } from "../rauc/rauc-facts.ts";
import { readRelease } from "../release/read-release.ts";
import type { Release } from "../release/release.ts";
import type { RootSource } from "../inputs/root-source.ts";
import { surveyRootfs, type RootfsSurvey } from "../rootfs/survey-rootfs.ts";
import { FileDigests } from "../ramdisk/file-digests.ts";
import { cacheFolder } from "../system/cache-folder.ts";
import { removeOnInterrupt } from "../system/remove-on-interrupt.ts";
import { buildManifestBytes } from "./manifest-bytes.ts";
import { buildParts } from "./build-parts.ts";
import { checkOutputFolder, createWorkFolder } from "./package-folder.ts";
import { readSigningKey, readTrustedKeyFiles, type SigningKey } from "./read-keys.ts";

export interface BuildOptions {
  /** Nothing is taken from earlier builds, nothing is kept for later ones. */
  noCache?: boolean | undefined;
  /** Also make `OUTPUT.raucb`. */
  raucBundle?: boolean | undefined;
}

export interface BuildResult {
  folder: string;
  /** The RAUC bundle, where one was asked for. */
  bundle?: string;
  plan: BuildPlan;
  manifest: Manifest;
  /** The root filesystem was not packed again. */
  rootfsFromCache: boolean;
}

/**
 * release.yaml -> Release -> BuildPlan -> parts -> manifest -> signature -> package in place, and if asked for the same as a RAUC
 * bundle beside it, `OUTPUT.raucb`. All of it or nothing.
 */
export async function buildPackage(
  releaseFile: string,
  output: string,
  report: Reporter,
  options: BuildOptions = {},
): Promise<BuildResult> {
  const release = await readRelease(releaseFile);
  const keys = await readKeys(release);
  const run = createRun(report);
  const signer = options.raucBundle === true ? await checkSigner(release.rauc, run) : undefined;
  await checkOutputFolder(output);
  const work = await createWorkFolder(output);
  const stopWatching = removeOnInterrupt(() => work.path);
  let source: RootSource | undefined;
  try {
    const cache = options.noCache ? join(work.scratch, "cache") : cacheFolder();
    const { plan, survey } = await look(
      release,
      keys,
      { scratch: join(work.scratch, "rootfs"), cache },
      report,
    );
    source = survey.source;
    const { manifest, rootfsFromCache } = await buildParts(
      { plan, survey, overlay: release.rootfs.overlay, work, cacheFolder: cache },
      report,
    );
    await reportStep(report, { step: "sign", title: "Sign and put in place" }, async () => {
      const bytes = buildManifestBytes(manifest);
      await writeFile(join(work.package, manifestName), bytes);
      await writeFile(
        join(work.package, signatureName),
        `${JSON.stringify(signManifest(bytes, keys.signing.privateKey), null, 2)}\n`,
      );
      if (!signer) await work.finish();
    });
    if (!signer) return { folder: output, plan, manifest, rootfsFromCache };
    const bundle = `${resolve(output)}.raucb`;
    await reportStep(report, { step: "rauc", title: "Make the RAUC bundle" }, async () => {
      const made = join(work.scratch, "bundle.raucb");
      await buildBundle(
        {
          packageFolder: work.package,
          manifest,
          signer,
          keyringFile: release.rauc!.keyringFile,
          scratch: join(work.scratch, "rauc"),
        },
        made,
        run,
      );
      await run("sync", [made]);
      await work.finish();
      await rename(made, bundle);
      await syncPath(dirname(bundle));
    });
    return { folder: output, bundle, plan, manifest, rootfsFromCache };
  } finally {
    try {
      await source?.close();
    } finally {
      // Ctrl-C while it is being removed must not leave the rest.
      await work.remove().finally(stopWatching);
    }
  }
}

/** What `build` would do; nothing is left behind. */
export async function planPackage(releaseFile: string, report: Reporter): Promise<BuildPlan> {
  const release = await readRelease(releaseFile);
  const keys = await readKeys(release);
  const scratch = await mkdtemp(join(tmpdir(), "dualroot-plan-"));
  const stopWatching = removeOnInterrupt(() => scratch);
  try {
    const { plan, survey } = await look(
      release,
      keys,
      { scratch: join(scratch, "rootfs"), cache: cacheFolder() },
      report,
    );
    await survey.source.close();
    return plan;
  } finally {
    await rm(scratch, { recursive: true, force: true }).finally(stopWatching);
  }
}

interface Keys {
  signing: SigningKey;
  trusted: Awaited<ReturnType<typeof readTrustedKeyFiles>>;
}

async function readKeys(release: Release): Promise<Keys> {
  return {
    signing: await readSigningKey(release.signingKeyFile),
    trusted: await readTrustedKeyFiles(release.trustedKeyFiles),
  };
}

async function look(
  release: Release,
  keys: Keys,
  folders: { scratch: string; cache: string },
  report: Reporter,
): Promise<{ plan: BuildPlan; survey: RootfsSurvey }> {
  return await reportStep(report, { step: "look", title: "Look at the root filesystem" }, async () => {
    const digests = new FileDigests(join(folders.cache, "digests.json"));
    const survey = await surveyRootfs(release, {
      scratch: folders.scratch,
      digestOf: async (path) => await digests.digest(path),
      cacheFolder: folders.cache,
      report,
    });
    try {
      await digests.save();
      const files = survey.selection.kept.filter((entry) => entry.type === "file");
      const rauc =
        release.rauc &&
        (await readRaucFacts(release.rauc, {
          root: survey.source.root,
          overlay: release.rootfs.overlay,
          modulesFolder: survey.facts.boot?.kernel.modules,
        }));
      const plan = planBuild({
        release,
        rauc,
        facts: survey.facts,
        selection: survey.selection,
        sourceKind: survey.source.description,
        keys: keys.trusted,
        signingKeyId: keys.signing.keyId,
        sourceDateEpoch: sourceDateEpoch(
          process.env["SOURCE_DATE_EPOCH"],
          files.map((entry) => entry.modifiedAt),
        ),
      });
      return { plan, survey };
    } catch (error) {
      await survey.source.close();
      throw error;
    }
  });
}
