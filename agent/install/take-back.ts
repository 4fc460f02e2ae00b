import { join } from "node:path";
import type { SlotName } from "../../format/grubenv.ts";
import { changeSlots } from "../boot/change-slots.ts";
import { openTree } from "../facts/tree.ts";
import { bootMountPoint } from "../plan/check-layout.ts";
import { stateFolderOf } from "../slot/state-folder.ts";
import { readSlotRecord } from "../slot/write-slot-record.ts";
import { readMountTable } from "../system/mounts.ts";
import type { Run } from "../system/run.ts";
import { readGrubenv } from "./facts/read-boot-partition.ts";
import { knownGood } from "./steps/mark-slot-bad.ts";

/**
 * The other slot is first and bootable: after an upgrade, and as well after a rollback or a choice in GRUB's menu. The slot that runs
 * comes first again in either case. Only an upgrade that waits for its first boot is marked bad too: it never proved itself, and nobody
 * wants it now. Says what was taken back.
 */
export async function takeBackUpgrade(root: string, run: Run): Promise<string | undefined> {
  const commandLine = (await openTree(root).text("/proc/cmdline")) ?? "";
  const running = /(?:^|\s)rauc\.slot=([AB])(?:\s|$)/.exec(commandLine)?.[1];
  if (running !== "A" && running !== "B") return undefined;
  const other: SlotName = running === "A" ? "B" : "A";
  const { variables } = await readGrubenv(root);
  if (!variables["ORDER"]?.trim().startsWith(other) || variables[`${other}_OK`] !== "1") return undefined;
  const waits = await waitsForFirstBoot(root, other);
  await changeSlots(
    {
      path: join(root, bootMountPoint, "grub/grubenv"),
      set: new Map([["ORDER", `${running} ${other}`], ...(waits ? [[`${other}_OK`, "0"] as const] : [])]),
      fallback: knownGood(running),
    },
    run,
  );
  return waits
    ? `the upgrade in slot ${other}: slot ${running} boots as before, slot ${other} not at all`
    : `the choice of slot ${other}: slot ${running} boots as before, slot ${other} stays bootable as its fallback`;
}

/**
 * Every upgrade writes its record before it activates the slot, so a record that cannot be read is no reason to take a way back from
 * the gateway.
 */
async function waitsForFirstBoot(root: string, slot: SlotName): Promise<boolean> {
  const stateFolder = join(root, stateFolderOf(await readMountTable()));
  const record = await readSlotRecord(stateFolder, slot).catch(() => undefined);
  return record !== undefined && record.committed === undefined && !record.oldSystem;
}
