import { join } from "node:path";
import { StepError } from "../../../format/errors.ts";
import { packageFiles } from "../../../format/manifest.ts";
import { readTextIfExists } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";

/** Loads kernel and ramdisk into memory: `kexec -e`, or the shutdown that calls it, then boots them once. Nothing is written. */
export async function armKexec(options: {
  packageFolder: string;
  commandLine: string;
  run: Run;
}): Promise<void> {
  const { packageFolder, commandLine, run } = options;
  await run(
    "kexec",
    [
      "--load",
      join(packageFolder, packageFiles.kernel),
      `--initrd=${join(packageFolder, packageFiles.ramdisk)}`,
      `--command-line=${commandLine}`,
    ],
    { timeoutSeconds: 120, hint: "Try again with --boot grub." },
  );
  if (!(await isKexecLoaded())) {
    throw new StepError("The kernel did not keep the ramdisk that kexec loaded.", {
      hint: "Try again with --boot grub.",
    });
  }
}

export async function disarmKexec(run: Run): Promise<string[]> {
  if (!(await isKexecLoaded())) return [];
  await run("kexec", ["--unload"]);
  return ["the ramdisk loaded for kexec"];
}

/** The kernel's own view. */
export async function isKexecLoaded(): Promise<boolean> {
  return (await readTextIfExists("/sys/kernel/kexec_loaded"))?.trim() === "1";
}
