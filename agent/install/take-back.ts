import { join } from "node:path";
import { changeSlots } from "../boot/change-slots.ts";
import { openTree } from "../facts/tree.ts";
import { bootMountPoint } from "../plan/check-layout.ts";
import type { Run } from "../system/run.ts";
import { readGrubenv } from "./facts/read-boot-partition.ts";
import { knownGood } from "./steps/mark-slot-bad.ts";

/** An upgrade that waits for its restart: the slot that runs boots again, and the other one not at all. Says what was taken back. */
export async function takeBackUpgrade(root: string, run: Run): Promise<string | undefined> {
  const commandLine = (await openTree(root).text("/proc/cmdline")) ?? "";
  const running = /(?:^|\s)rauc\.slot=([AB])(?:\s|$)/.exec(commandLine)?.[1];
  if (running === undefined) return undefined;
  const other = running === "A" ? "B" : "A";
  const { variables } = await readGrubenv(root);
  if (!variables["ORDER"]?.trim().startsWith(other) || variables[`${other}_OK`] !== "1") return undefined;
  await changeSlots(
    {
      path: join(root, bootMountPoint, "grub/grubenv"),
      set: new Map([
        ["ORDER", `${running} ${other}`],
        [`${other}_OK`, "0"],
      ]),
      fallback: knownGood(running),
    },
    run,
  );
  return `the upgrade in slot ${other}: slot ${running} boots as before, slot ${other} not at all`;
}
