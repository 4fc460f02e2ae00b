import { packageFiles, type Manifest } from "../../format/manifest.ts";
import { formatSize } from "../../format/sizes.ts";
import type { Facts } from "../facts/facts.ts";
import { fail, type Check } from "./check.ts";

export type BootMethod = "kexec" | "grub";
export type BootChoice = { method: BootMethod } | { method?: undefined; reasons: string[] };

/** How the ramdisk is started. `auto` takes kexec where it works, because it writes nothing; else the one-shot GRUB entry. */
export function chooseBootMethod(manifest: Manifest, facts: Facts, wanted: BootMethod | "auto"): BootChoice {
  const reasons: string[] = [];
  for (const method of wanted === "auto" ? (["kexec", "grub"] as const) : [wanted]) {
    const against = (method === "kexec" ? againstKexec : againstGrub)(manifest, facts);
    if (against === undefined) return { method };
    reasons.push(`${method}: ${against}`);
  }
  return { reasons };
}

/** The kernel holds a copy of kernel and ramdisk while the old system still runs. */
function againstKexec(manifest: Manifest, { boot, memory }: Facts): string | undefined {
  if (boot.secureBoot) return "Secure Boot is on";
  if (!boot.kexecAllowed) return "the kernel does not allow it";
  const needs = 2 * bootFileBytes(manifest);
  if (memory.availableBytes < needs)
    return `needs ${formatSize(needs)} of free memory, ${formatSize(memory.availableBytes)} are free`;
  return undefined;
}

function againstGrub(manifest: Manifest, { boot }: Facts): string | undefined {
  if (boot.grubFolder === undefined) return "there is no GRUB 2 menu";
  if (!boot.grubOneShot) return `the menu in ${boot.grubFolder} cannot start an entry once`;
  if (!boot.grubenvWritable)
    return "GRUB cannot write its environment there, so the entry could not disarm itself";
  const needs = bootFileBytes(manifest);
  if (boot.bootFreeBytes < needs)
    return `needs ${formatSize(needs)} in /boot, ${formatSize(boot.bootFreeBytes)} are free`;
  return undefined;
}

function bootFileBytes(manifest: Manifest): number {
  return manifest.files
    .filter((file) => file.name === packageFiles.kernel || file.name === packageFiles.ramdisk)
    .reduce((total, file) => total + file.size, 0);
}

export const bootMethod: Check = {
  name: "boot-method",
  title: "Way into the ramdisk",
  run: ({ stage, manifest, facts, options }) => {
    if (stage === "ramdisk") return undefined;
    const choice = chooseBootMethod(manifest, facts, options.boot ?? "auto");
    if (choice.method) return choice.method === "kexec" ? "kexec" : "one-shot GRUB entry";
    return [
      fail({
        code: "boot-method-unavailable",
        message: `The ramdisk cannot be started (${choice.reasons.join("; ")}).`,
        hint: "Remove the reason, or choose the other way with --boot.",
      }),
    ];
  },
};

export const secureBoot: Check = {
  name: "secure-boot",
  title: "Secure Boot",
  run: ({ stage, facts }) => {
    if (stage === "ramdisk") return undefined;
    if (!facts.boot.secureBoot) return "off";
    return [
      fail({
        code: "secure-boot",
        message: "Secure Boot is on; the new system's boot loader is not signed for it.",
        hint: "Switch Secure Boot off in the firmware.",
      }),
    ];
  },
};
