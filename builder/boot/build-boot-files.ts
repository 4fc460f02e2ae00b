import { copyFile, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { coreImageMaxBytes } from "../../agent/boot/core-image.ts";
import { exists } from "../../agent/system/files.ts";
import { createRun } from "../../agent/system/run.ts";
import { InternalError, userError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { builtInModules, modulesOnBoot } from "./grub-modules.ts";

const grubPlatformFolder = "/usr/lib/grub/i386-pc";
const menuTemplate = fileURLToPath(new URL("../../grub/grub.cfg.template", import.meta.url));

/** Relative to the disk GRUB was started from: partition 2, whatever number the BIOS gives the disk. */
const prefix = "(,gpt2)/grub";

/** Lists GRUB's `normal` module reads beside the modules. */
const lists = ["command.lst", "crypto.lst", "fs.lst", "moddep.lst", "partmap.lst", "terminal.lst"];

const loaderImages = ["diskboot.img", "kernel.img", "lzma_decompress.img"];

/**
 * Lays `boot.img`, `core.img`, `i386-pc/*` and `grub.cfg.template` into `folder` (made if missing), from the Debian
 * packages grub-pc-bin and grub-common of the build host. They serve every layout: names are filled in by stage 2.
 */
export async function buildBootFiles(folder: string, report: Reporter): Promise<void> {
  const run = createRun(report);
  await needFile(join(grubPlatformFolder, "boot.img"), "grub-pc-bin");
  await needFile("/usr/bin/grub-mkimage", "grub-common");

  const modulesFolder = join(folder, "i386-pc");
  await mkdir(modulesFolder, { recursive: true });
  const moddep = await readFile(join(grubPlatformFolder, "moddep.lst"), "utf8");
  for (const name of [...modulesOnBoot(moddep).map((module) => `${module}.mod`), ...lists]) {
    await copyFile(join(grubPlatformFolder, name), join(modulesFolder, name));
  }
  await copyFile(join(grubPlatformFolder, "boot.img"), join(folder, "boot.img"));
  // With the modules above, all that grub-mkimage needs on the gateway for the resume loader.
  for (const name of loaderImages) await copyFile(join(grubPlatformFolder, name), join(modulesFolder, name));
  await copyFile(menuTemplate, join(folder, "grub.cfg.template"));

  const core = join(folder, "core.img");
  await run(
    "/usr/bin/grub-mkimage",
    [
      "--format=i386-pc",
      `--directory=${grubPlatformFolder}`,
      `--prefix=${prefix}`,
      `--output=${core}`,
      ...builtInModules,
    ],
    { hint: "Reinstall the Debian packages grub-pc-bin and grub-common; they must be of the same version." },
  );
  const { size } = await stat(core);
  if (size > coreImageMaxBytes) {
    throw new InternalError(
      `core.img has ${size} bytes, the BIOS boot partition has room for ${coreImageMaxBytes}`,
    );
  }
}

async function needFile(path: string, debianPackage: string): Promise<void> {
  if (await exists(path)) return;
  throw userError({
    code: "tool-missing",
    message: `GRUB for BIOS machines is not installed on this build host: ${path} is missing.`,
    hint: `Install it: apt-get install ${debianPackage}`,
    where: path,
  });
}
