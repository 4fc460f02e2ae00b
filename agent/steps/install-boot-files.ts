import { copyFile, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { StepError, hasErrorCode } from "../../format/errors.ts";
import { encodeSlotEnvironment } from "../../format/grubenv.ts";
import { packageFiles } from "../../format/manifest.ts";
import { fillMenu } from "../boot/fill-menu.ts";
import { parseSlotConfiguration } from "../boot/slot-configuration.ts";
import type { StepOf } from "../plan/step.ts";
import { copyStored } from "../stash/stored-file.ts";
import { readTextIfExists, writeFileDurably } from "../system/files.ts";
import type { StepContext } from "./step-context.ts";

type Context = Pick<StepContext, "run" | "stored" | "runtimeFolder" | "manifest" | "isOldSystemRestored">;

/** Everything GRUB reads, and what the slot knows of itself. The disk boots from it only after write-boot-sector. */
export async function installBootFiles(step: StepOf<"install-boot-files">, context: Context): Promise<void> {
  await installMenu(step, join(context.runtimeFolder, "usr/lib/dualroot/grub"), context);
  await installRescue(step.bootFolder, context);
  await describeSystem(step, context);
  await selectKernel(step, context);
  // A root filesystem taken from a converted gateway may carry its mark; this content was never healthy here.
  await rm(join(step.target, "boot/slot.proven"), { force: true });
}

async function installMenu(
  step: StepOf<"install-boot-files">,
  source: string,
  { isOldSystemRestored }: Context,
): Promise<void> {
  const grubFolder = join(step.bootFolder, "grub");
  const modulesFolder = join(grubFolder, "i386-pc");
  await mkdir(modulesFolder, { recursive: true });
  for (const name of await readdir(join(source, "i386-pc"))) {
    await copyFile(join(source, "i386-pc", name), join(modulesFolder, name));
  }
  const template = await readFile(join(source, "grub.cfg.template"), "utf8");
  await writeFileDurably(join(grubFolder, "grub.cfg"), fillMenu(template, step));

  const state = (name: "A" | "B") => ({
    ok: step.slots.some(
      (slot) => slot.name === name && (slot.populated || (name === "B" && isOldSystemRestored === true)),
    ),
    tries: 0 as const,
  });
  const environment = { order: step.slots.map(({ name }) => name), A: state("A"), B: state("B") };
  await overwriteInPlace(join(grubFolder, "grubenv"), encodeSlotEnvironment(environment));
}

/** Never truncated nor renamed: GRUB rewrites the very blocks the file has. */
async function overwriteInPlace(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await open(path, "r+").catch((error: unknown) => {
    if (hasErrorCode(error, "ENOENT")) return open(path, "w+");
    throw error;
  });
  try {
    await existing.write(bytes, 0, bytes.length, 0);
    await existing.truncate(bytes.length);
    await existing.sync();
  } finally {
    await existing.close();
  }
}

/** The ramdisk stays on the boot partition as rescue system. verify-target reads both files back from the medium. */
async function installRescue(bootFolder: string, { stored }: Context): Promise<void> {
  for (const name of [packageFiles.kernel, packageFiles.ramdisk])
    await copyStored(stored(name), join(bootFolder, name));
}

async function describeSystem(step: StepOf<"install-boot-files">, context: Context): Promise<void> {
  const { compatible, name, version, counter } = context.manifest;
  const system = { format: 1, compatible, name, version, counter, slot: "A", volumeGroup: step.volumeGroup };
  const folder = join(step.target, "etc/dualroot");
  await mkdir(folder, { recursive: true });
  await writeFileDurably(join(folder, "system.json"), `${JSON.stringify(system, undefined, 2)}\n`);
  await writeFileDurably(
    join(folder, "keys.json"),
    await readFile(join(context.runtimeFolder, "usr/lib/dualroot/keys.json")),
  );
  const words = [step.commandLine, ...step.consoles].filter((word) => word !== "").join(" ");
  await writeFileDurably(join(folder, "command-line"), `${words}\n`);
}

/** By the script that does it after every kernel update, so that there is one truth about slot.cfg. */
async function selectKernel(step: StepOf<"install-boot-files">, context: Context): Promise<void> {
  await context.run("chroot", [step.target, "/usr/lib/dualroot/select-kernel", step.kernel, step.initramfs]);
  const written = parseSlotConfiguration((await readTextIfExists(join(step.target, "boot/slot.cfg"))) ?? "");
  if (written?.kernel !== step.kernel || written.initramfs !== step.initramfs) {
    throw new StepError(`/boot/slot.cfg of slot A does not name ${step.kernel} and ${step.initramfs}`);
  }
}
