import { StepError } from "../../format/errors.ts";
import type { TargetWriter } from "../identity/restore/target-writer.ts";
import type { StepContext } from "../steps/step-context.ts";
import { inChroot } from "../system/in-chroot.ts";
import type { SlotRoot } from "./adapt-old-system.ts";

interface Rebuilt {
  kernel: string;
  initramfs: string;
  /** Kernel arguments that this initramfs needs. */
  words: string[];
}

const rebuildSeconds = 20 * 60;

/** The old system's own tool, in slot B, for the kernel that ran last. Throws where that cannot find a root on LVM. */
export async function rebuildSlotInitramfs(
  slot: SlotRoot,
  writer: TargetWriter,
  { run, report }: StepContext,
): Promise<Rebuilt> {
  const release = slot.kernelRelease;
  const kernel = `/boot/vmlinuz-${release}`;
  const has = async (...paths: string[]): Promise<boolean> => {
    for (const path of paths) if ((await writer.stat(path)) !== undefined) return true;
    return false;
  };
  if (!(await has(kernel))) throw new StepError(`${kernel}, which ran last, is not there`);
  if (!(await has(`/lib/modules/${release}`))) throw new StepError(`/lib/modules/${release} is not there`);
  if (!(await has("/usr/sbin/lvm", "/sbin/lvm"))) throw new StepError("it has no LVM");
  const plan = (await has("/usr/bin/dracut", "/usr/sbin/dracut", "/sbin/dracut"))
    ? dracut(slot)
    : (await has("/usr/sbin/mkinitramfs")) && (await has("/usr/share/initramfs-tools/hooks/lvm2"))
      ? initramfsTools(slot)
      : undefined;
  if (!plan) throw new StepError("it has neither dracut nor initramfs-tools with LVM");
  await writer.remove(plan.initramfs);
  // Drivers for any machine, and no swap to resume from: the one there was is gone.
  if (plan.configuration) await writer.write(...plan.configuration);
  report({ kind: "detail", message: `slot B: ${plan.command.join(" ")}` });
  await inChroot(run, slot.root, plan.command, {
    timeoutSeconds: rebuildSeconds,
    hint: "The log has its output.",
  });
  const made = await writer.stat(plan.initramfs);
  if (made === undefined || made.size === 0)
    throw new StepError(`${plan.command[0]} ended without error, but made no ${plan.initramfs}`);
  return { kernel, initramfs: plan.initramfs, words: plan.words };
}

/** Under a name of its own: the one that distribution made stays, for a person to compare. */
interface RebuildPlan {
  initramfs: string;
  command: [string, ...string[]];
  configuration?: [path: string, content: string];
  words: string[];
}

function dracut({ kernelRelease, type, volumeGroup, device }: SlotRoot): RebuildPlan {
  const initramfs = `/boot/initramfs-dualroot-${kernelRelease}.img`;
  const volume = device.slice(`/dev/mapper/${volumeGroup}-`.length);
  return {
    initramfs,
    command: [
      "dracut",
      "--force",
      "--no-hostonly",
      "--add",
      "lvm",
      "--filesystems",
      type,
      initramfs,
      kernelRelease,
    ],
    words: [`rd.lvm.lv=${volumeGroup}/${volume}`],
  };
}

function initramfsTools({ kernelRelease }: SlotRoot): RebuildPlan {
  const initramfs = `/boot/initrd.img-dualroot-${kernelRelease}`;
  return {
    initramfs,
    command: ["mkinitramfs", "-o", initramfs, kernelRelease],
    configuration: ["/etc/initramfs-tools/conf.d/zz-dualroot", "MODULES=most\nRESUME=none\n"],
    words: [],
  };
}
