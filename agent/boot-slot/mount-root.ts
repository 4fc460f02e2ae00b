import { mkdir } from "node:fs/promises";
import { userError, type UserError } from "../../format/errors.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";
import type { RootWords } from "./root-words.ts";

/** Not below /run, which moves into the new root. */
export const rootFolder = "/sysroot";

const unreadable = 4;

/** Checks (ext only: XFS looks at itself when it is mounted) and mounts the root filesystem as the words say. */
export async function mountRoot({ run, tell }: Session, device: string, words: RootWords): Promise<void> {
  const { type = words.type } = await probeSignatures(run, device);
  if (!type) throw cannotMount(device, "there is no filesystem on it that the ramdisk knows");
  await loadFilesystems(run, [words.type ?? type]);
  if (/^ext[234]$/.test(type) && !words.skipCheck) {
    const { exitCode, stdout } = await run("e2fsck", ["-p", device], {
      acceptExitCodes: [1, 2, 3, unreadable, 8, 12],
    });
    if (exitCode >= unreadable)
      throw cannotMount(device, "its check found damage that a person must look at");
    if (exitCode > 0) tell(`dualroot: ${device} was repaired: ${stdout.trim().split("\n").at(-1) ?? ""}`);
  }
  await mkdir(rootFolder, { recursive: true });
  try {
    await run("mount", ["-t", words.type ?? type, "-o", words.options, device, rootFolder]);
  } catch (error) {
    throw cannotMount(device, error instanceof Error ? error.message : String(error), error);
  }
}

function cannotMount(device: string, why: string, cause?: unknown): UserError {
  return userError(
    {
      code: "slot-unreadable",
      message: `The root filesystem on ${device} cannot be mounted: ${why}.`,
      hint: "At the prompt below: e2fsck or xfs_repair on it, then start again; or choose the other slot in GRUB's menu.",
    },
    "refused",
    { cause },
  );
}
