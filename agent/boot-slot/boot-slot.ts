import { readFile } from "node:fs/promises";
import type { Session } from "../ramdisk/session.ts";
import { findInit } from "./find-init.ts";
import { findRoot } from "./find-root.ts";
import { handOver, introduceToUdev } from "./hand-over.ts";
import { mountRoot, rootFolder } from "./mount-root.ts";
import { loadSlotModules } from "./load-slot-modules.ts";
import { parseRootWords } from "./root-words.ts";
import { loadSlotFilesystems, shareModules } from "./share-modules.ts";

/** Mode `boot`: brings up an installed system with the ramdisk's own kernel. Changes nothing on it but what mounting does. */
export async function bootSlot(session: Session): Promise<number> {
  const { tell, report } = session;
  const words = parseRootWords(await readFile("/proc/cmdline", "utf8"));
  const device = await findRoot(session, words);
  await mountRoot(session, device, words);
  const init = await findInit(rootFolder, words.init);
  await loadSlotFilesystems(session, rootFolder);
  await loadSlotModules(session);
  const hasModules = await shareModules(session, rootFolder);
  if (!hasModules)
    report({
      kind: "detail",
      message: "The slot has no modules for this kernel: what is loaded now stays all there is.",
    });
  await introduceToUdev(device);
  tell(`dualroot: starting ${init} on ${device} with the ramdisk's kernel.`);
  await handOver(init);
  return 0;
}
