/** What becomes of a file of the slot: another text, fewer bytes, or nothing. */
export type Change =
  | { path: string; text: string; mode?: string }
  | { path: string; bytes: number }
  | { path: string; isGone: true };

/** A release that does not come up, or not well. */
export interface BrokenRelease {
  title: string;
  /** What is wrong with the files of the slot. `kernel` and `initramfs` are its own, by their paths. */
  changes: (slot: { kernel: string; initramfs: string }) => Change[];
  /** A line more for health.conf. */
  setting?: string;
  /** What the console must show, so that the fault is known to have happened. */
  evidence: RegExp;
  /** What `dualroot-status --json` must give as the reason of the fallback. */
  reason: RegExp;
  /** In `npm test` too, from its last try on; the others in the long tests only. */
  isShort: boolean;
}

const never = /never reached its health gate/;
const check = "/etc/dualroot/health.d/of-the-release";
const program = "0100755";

export const brokenReleases: readonly BrokenRelease[] = [
  {
    title: "its kernel is missing",
    changes: ({ kernel }) => [{ path: kernel, isGone: true }],
    evidence: /slot B has no kernel that can be loaded/,
    reason: never,
    isShort: true,
  },
  {
    title: "its kernel is garbage",
    changes: ({ kernel }) => [{ path: kernel, text: "no kernel\n".repeat(5000) }],
    evidence: /slot B has no kernel that can be loaded/,
    reason: never,
    isShort: false,
  },
  {
    title: "its initramfs is missing",
    changes: ({ initramfs }) => [{ path: initramfs, isGone: true }],
    evidence: /slot B has no kernel that can be loaded/,
    reason: never,
    isShort: false,
  },
  {
    title: "its initramfs is cut short",
    changes: ({ initramfs }) => [{ path: initramfs, bytes: 1_000_000 }],
    evidence: /Kernel panic - not syncing: (?:VFS: Unable to mount root fs|No working init found)/,
    reason: never,
    isShort: false,
  },
  {
    title: "its init ends",
    changes: () => [{ path: "/usr/lib/systemd/systemd", text: "#!/bin/sh\nexit 3\n", mode: program }],
    evidence: /Kernel panic - not syncing: Attempted to kill init/,
    reason: never,
    isShort: true,
  },
  {
    title: "it hangs on its way up",
    changes: () => [{ path: "/usr/lib/systemd/systemd-networkd", text: "exec sleep 100000\n" }],
    setting: "DUALROOT_BOOT_SECONDS=40",
    evidence: /the boot has not come to its health gate within \d+ s: restarting/,
    reason: /did not come to its health gate within \d+ s/,
    isShort: false,
  },
  {
    title: "it has no network",
    changes: () => [{ path: "/usr/lib/systemd/systemd-networkd", text: "exit 0\n" }],
    evidence: /slot B is not healthy: .*10\.0\.2\.78/,
    reason: /address 10\.0\.2\.78\/24 is not up/,
    isShort: false,
  },
  {
    title: "its own check fails",
    changes: () => [{ path: check, text: "#!/bin/sh\necho the meter is silent\nexit 7\n", mode: program }],
    evidence: /slot B is not healthy: .*of-the-release/,
    reason: /of-the-release failed with exit code 7: the meter is silent/,
    isShort: true,
  },
  {
    title: "its own check hangs",
    changes: () => [{ path: check, text: "#!/bin/sh\nexec sleep 100000\n", mode: program }],
    evidence: /slot B is not healthy: .*of-the-release/,
    reason: /of-the-release gave no result within 10 s/,
    isShort: false,
  },
];
