import { execa } from "execa";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const overlay = fileURLToPath(new URL("../../../rootfs-overlay", import.meta.url));

export interface ScriptResult {
  exitCode: number;
  output: string;
}

/**
 * Runs a shell script, as root, in a copy of this machine that vanishes with it: a writable layer in memory over `/`, our
 * rootfs overlay laid over it at its real paths, own network (only lo), own processes, and the given kernel command line.
 * Needs root. Empty to begin with: /boot, /data (a mount, as on a gateway), /etc/dualroot, /run.
 */
export async function inThrowAwaySystem(
  script: string,
  commandLine = "rauc.slot=A quiet",
  limitSeconds = 60,
): Promise<ScriptResult> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-overlay-"));
  const root = join(folder, "memory/root");
  try {
    const inside = join(folder, "script");
    await writeFile(inside, script);
    await chmod(inside, 0o755);
    // Both outputs through one pipe: over two, lines can arrive in another order than they were written in.
    const setUp = `exec 2>&1; set -e
      mkdir ${folder}/memory
      mount -t tmpfs none ${folder}/memory
      mkdir ${folder}/memory/upper ${folder}/memory/work ${root}
      mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/memory/upper,workdir=${folder}/memory/work ${root}
      mount -t proc proc ${root}/proc
      mount -t devtmpfs dev ${root}/dev
      for empty in boot data run etc/dualroot; do mkdir -p ${root}/$empty; mount -t tmpfs none ${root}/$empty; done
      cp -a --no-preserve=ownership ${overlay}/. ${root}/
      rm ${root}/README.md
      # The real one waits until everything that anybody has written on this machine is on its disks.
      printf '#!/bin/sh\\n' >${root}/usr/local/sbin/sync
      chmod 755 ${root}/usr/local/sbin/sync
      echo '${commandLine}' >${root}/command-line
      mount --bind ${root}/command-line ${root}/proc/cmdline
      cp ${inside} ${root}/script
      ip link set lo up
      exec chroot ${root} /bin/sh /script`;
    const result = await execa(
      "unshare",
      ["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", setUp],
      {
        reject: false,
        stdin: "ignore",
        timeout: limitSeconds * 1000,
        env: { LC_ALL: "C", PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
      },
    );
    return { exitCode: result.exitCode ?? -1, output: result.stdout };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As stage 2 leaves a gateway, slot A not yet healthy; the gate's time limits are short. Shell lines. */
export const freshGateway = `
mkdir -p /boot/dualroot/grub
grub-editenv - create
grub-editenv - set "ORDER=A B" A_OK=1 A_TRY=1 B_OK=0 B_TRY=0
cat >/etc/dualroot/system.json <<END
{
  "format": 1,
  "compatible": "demo-gateway",
  "name": "demo",
  "version": "2026.11",
  "counter": 1,
  "slot": "A",
  "volumeGroup": "VA"
}
END
cat >/etc/dualroot/health.conf <<END
DUALROOT_HEALTH_SECONDS=2
DUALROOT_CHECK_SECONDS=1
DUALROOT_RETRY_SECONDS=1
DUALROOT_EXPECT_SSH=no
END
`;
