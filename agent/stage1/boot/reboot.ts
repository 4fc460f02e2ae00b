import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { StepError } from "../../../format/errors.ts";
import { exists, readTextIfExists } from "../../system/files.ts";
import type { Run } from "../../system/run.ts";
import type { BootMethod } from "../../checks/boot-method.ts";

/**
 * Leaves the old system for the ramdisk. In this order:
 *  1. systemd as PID 1 reboots in its own way: services stopped, filesystems unmounted. For kexec its last act is to call
 *     kexec itself, from /sbin or /usr/sbin as it was built; when either is missing it would make a plain reset instead.
 *  2. Without that, for kexec: everything is written out and made read-only by the kernel (sysrq s, u), then `kexec -e`.
 *  3. Without systemd, for GRUB: the system's own `shutdown -r now`.
 */
export async function leaveOldSystem(method: BootMethod, run: Run): Promise<void> {
  const hasSystemd = await exists("/run/systemd/system");
  await run("sync", [], { timeoutSeconds: 300 });
  if (method === "grub") {
    if (hasSystemd) await run("systemctl", ["--no-block", "reboot"], { timeoutSeconds: 60 });
    else await run("shutdown", ["-r", "now"], { timeoutSeconds: 60 });
    return;
  }
  if (hasSystemd && (await exists("/sbin/kexec")) && (await exists("/usr/sbin/kexec"))) {
    await run("systemctl", ["--no-block", "kexec"], { timeoutSeconds: 60 });
    return;
  }
  await makeDisksReadOnly();
  await run("kexec", ["--exec"]);
  throw new StepError("kexec came back instead of starting the ramdisk.", {
    hint: "Reset the gateway: it boots the old system.",
  });
}

/** sysrq's remounting is done by a kernel worker: wait until the mount table shows it, or long enough. */
async function makeDisksReadOnly(): Promise<void> {
  await writeFile("/proc/sysrq-trigger", "s");
  await writeFile("/proc/sysrq-trigger", "u");
  for (let attempt = 0; attempt < 100; attempt += 1) {
    // Not mountinfo: there a mount of a read-only filesystem still says rw.
    const lines = ((await readTextIfExists("/proc/mounts")) ?? "").split("\n");
    const writable = lines.filter((line) => /^\/dev\/\S+ \S+ \S+ rw\b/.test(line));
    if (writable.length === 0) return;
    await sleep(100);
  }
}
