import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeSlotEnvironment } from "../../format/grubenv.ts";
import { packageFiles } from "../../format/manifest.ts";
import { fillMenu } from "../boot/fill-menu.ts";
import { writeGrubenv } from "../boot/write-grubenv.ts";
import type { StepOf } from "../plan/step.ts";
import { describeSlot } from "../slot/describe-slot.ts";
import { describeRelease } from "../slot/system-file.ts";
import { renderVolumesFile } from "../slot/volumes-file.ts";
import { copyStored } from "../stash/stored-file.ts";
import { writeFileDurably } from "../system/files.ts";
import { recordWritten } from "./record-written.ts";
import type { StepContext } from "./step-context.ts";

type Context = Pick<
  StepContext,
  "run" | "stored" | "runtimeFolder" | "manifest" | "isOldSystemRestored" | "written"
>;

/** Everything GRUB reads, and what the slot knows of itself. The disk boots from it only after write-boot-sector. */
export async function installBootFiles(step: StepOf<"install-boot-files">, context: Context): Promise<void> {
  await installMenu(step, join(context.runtimeFolder, "usr/lib/dualroot/grub"), context);
  await installRescue(step.bootFolder, context);
  const { manifest, run, runtimeFolder } = context;
  await describeSlot(
    {
      target: step.target,
      system: describeRelease(manifest, "A", step.volumeGroup),
      keysFile: join(runtimeFolder, "usr/lib/dualroot/keys.json"),
      commandLine: [step.commandLine, ...step.consoles].filter((word) => word !== "").join(" "),
      volumes: renderVolumesFile(manifest.layout),
      kernel: step.kernel,
      initramfs: step.initramfs,
    },
    run,
  );
  const paths = ["etc/dualroot", "boot/slot.cfg"].map((path) => join(step.target, path));
  await recordWritten(context, [join(step.bootFolder, "grub"), ...paths]);
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
  await writeGrubenv(join(grubFolder, "grubenv"), encodeSlotEnvironment(environment));
}

/** The ramdisk stays on the boot partition as rescue system. verify-target reads both files back from the medium. */
async function installRescue(bootFolder: string, { stored }: Context): Promise<void> {
  for (const name of [packageFiles.kernel, packageFiles.ramdisk])
    await copyStored(stored(name), join(bootFolder, name));
}
