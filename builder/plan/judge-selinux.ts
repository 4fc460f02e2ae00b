import type { Problem } from "../../format/errors.ts";
import type { SelinuxFacts } from "../rootfs/selinux-facts.ts";

export const selinuxWords = ["relabel", "permissive", "disabled"] as const;
export type SelinuxWord = (typeof selinuxWords)[number];

/** `carried`: the source's labels are enough. `none`: the target has no SELinux. */
export type SelinuxPlan = SelinuxWord | "carried" | "none";

/**
 * A target that enforces SELinux without labels lets nobody log in, and no update reaches it. So either the source has
 * labels, or the release says what shall be done.
 */
export function judgeSelinux(
  facts: SelinuxFacts | undefined,
  wanted: SelinuxWord | undefined,
): { plan: SelinuxPlan } | { problem: Problem } {
  if (!facts) return { plan: "none" };
  const { looked, labelled } = facts.labels;
  if (wanted === "relabel" && !facts.canRelabel)
    return {
      problem: {
        code: "selinux-cannot-relabel",
        message:
          "target.selinux is relabel, but the root filesystem has no /usr/sbin/fixfiles that could do it",
        hint: "Install policycoreutils in it, or say permissive or disabled.",
      },
    };
  if (wanted !== undefined) return { plan: wanted };
  // A few files without label are what package scripts leave behind in a chroot.
  if (facts.mode !== "enforcing" || labelled >= 0.9 * looked) return { plan: "carried" };
  return {
    problem: {
      code: "selinux-labels-missing",
      message: `the target enforces SELinux, but only ${labelled} of ${looked} files and folders looked at have a label: nobody could log in`,
      hint: "Export the root filesystem with its labels (tar --xattrs --xattrs-include='*'), or set target.selinux: relabel (its first boot labels all files and restarts once), permissive or disabled.",
      where: "/etc/selinux/config",
    },
  };
}

/** The file as it was, with another mode. */
export function withSelinuxMode(config: string, mode: "permissive" | "disabled"): string {
  return config.replaceAll(/^(\s*SELINUX=).*$/gm, `$1${mode}`);
}
