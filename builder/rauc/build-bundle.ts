import { copyFile, chmod, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Run } from "../../agent/system/run.ts";
import { StepError, userError } from "../../format/errors.ts";
import { manifestName, packageFiles, signatureName, type Manifest } from "../../format/manifest.ts";
import { bundleManifest, hookName } from "./bundle-manifest.ts";
import type { RaucSigner } from "./check-signer.ts";

const hook = fileURLToPath(new URL("hook.sh", import.meta.url));

export interface BundleInputs {
  /** A finished, signed package. */
  packageFolder: string;
  manifest: Manifest;
  signer: RaucSigner;
  /** PEM; what the gateways trust. */
  keyringFile: string;
  /** On the package's file system; must not exist. */
  scratch: string;
}

/** Everything in the package is compressed already. */
const squashfsOptions = "-noD -noF -no-xattrs -all-root";

/** The whole package as a RAUC bundle of format verity; `output` must not exist. Made and signed by rauc, then checked against the keyring. */
export async function buildBundle(inputs: BundleInputs, output: string, run: Run): Promise<void> {
  const { packageFolder, manifest, signer, keyringFile, scratch } = inputs;
  await mkdir(scratch);
  for (const name of [...Object.values(packageFiles), manifestName, signatureName])
    await link(join(packageFolder, name), join(scratch, name));
  await copyFile(hook, join(scratch, hookName));
  await chmod(join(scratch, hookName), 0o755);
  await writeFile(join(scratch, "manifest.raucm"), bundleManifest(manifest));
  await run(
    "rauc",
    [
      "bundle",
      `--cert=${signer.certificateFile}`,
      `--key=${signer.keyFile}`,
      ...signer.intermediateFiles.map((file) => `--intermediate=${file}`),
      `--mksquashfs-args=${squashfsOptions}`,
      scratch,
      output,
    ],
    // mksquashfs takes it for its own times and for files that are newer.
    { env: { SOURCE_DATE_EPOCH: String(manifest.sourceDateEpoch) } },
  );
  await checkBundle(output, keyringFile, run);
}

async function checkBundle(bundle: string, keyringFile: string, run: Run): Promise<void> {
  try {
    await run("rauc", ["info", `--keyring=${keyringFile}`, "--output-format=json", bundle]);
  } catch (cause) {
    if (!(cause instanceof StepError)) throw cause;
    throw userError(
      {
        code: "rauc-bundle-not-trusted",
        message: "the gateways would refuse the bundle: it does not verify with rauc.keyring",
        hint: `The keyring must lead to the signer's certificate. RAUC says: ${(cause.stderrTail ?? "").trim().split("\n").at(-1)}`,
        where: keyringFile,
      },
      "badInput",
      { cause },
    );
  }
}
