import { chmod, mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { userError } from "../../../format/errors.ts";
import { slotRecordPath } from "../../slot/write-slot-record.ts";
import { readMountTable, unmountBelow } from "../../system/mounts.ts";
import { syncFilesystem } from "../../system/sync-filesystem.ts";
import type { Run } from "../../system/run.ts";
import type { InstallStepOf } from "../plan/install-step.ts";
import type { InstallContext } from "./install-context.ts";

const attempts = 20;
const pauseMs = 500;

/** An upgrade that was killed may have left it mounted, with one of its programs still running. */
export async function releaseSlot(
  { device, target, slot, stateFolder }: InstallStepOf<"release-slot">,
  { run }: Pick<InstallContext, "run">,
): Promise<void> {
  await rm(slotRecordPath(stateFolder, slot), { force: true });
  await mkdir(dirname(target), { recursive: true });
  // What is mounted there shows its own mode; the folder around it keeps everybody else out of a slot in the making.
  await chmod(dirname(target), 0o700);
  await mkdir(target, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await unmountBelow(run, target);
    } catch (error) {
      if (attempt < attempts) await sleep(pauseMs);
      else
        throw userError(
          {
            code: "slot-in-use",
            message: `${device} is still mounted at ${target} by an interrupted upgrade, and in use.`,
            hint: `fuser -vm ${target} shows by what; end it, then start again.`,
          },
          "refused",
          { cause: error },
        );
    }
  }
}

/** Unmounting writes all of it out and leaves nothing of it in the kernel's cache, which dropping all caches would do to services too. */
export async function remountSlot(
  { device, type, target }: InstallStepOf<"remount-slot">,
  { run }: Pick<InstallContext, "run">,
): Promise<void> {
  await unmountSlot({ device, target }, { run });
  await run("mount", ["-t", type, "-o", "ro,noatime", device, target]);
}

export async function unmountSlot(
  { device, target }: Pick<InstallStepOf<"unmount-slot">, "device" | "target">,
  { run }: Pick<InstallContext, "run">,
): Promise<void> {
  await flushMounted(run, target);
  await unmountBelow(run, target);
  await run("blockdev", ["--flushbufs", device]);
}

/** Only this filesystem's data: the services' own need not wait for theirs. */
async function flushMounted(run: Run, target: string): Promise<void> {
  if ((await readMountTable()).some((mount) => mount.target === target)) await syncFilesystem(run, target);
}
