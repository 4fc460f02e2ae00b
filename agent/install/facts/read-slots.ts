import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasErrorCode } from "../../../format/errors.ts";
import type { SlotName } from "../../../format/grubenv.ts";
import type { Facts } from "../../facts/facts.ts";
import { probeSignatures } from "../../facts/probe-signatures.ts";
import type { Tree } from "../../facts/tree.ts";
import type { Run } from "../../system/run.ts";
import { installFolder } from "../target-folder.ts";
import type { SlotVolume } from "./install-facts.ts";

interface SlotOptions {
  tree: Tree;
  facts: Facts;
  run: Run;
  root: string;
}

/** The slots' volumes, by the names that GRUB's menu has for them. */
export async function readSlots(options: SlotOptions): Promise<SlotVolume[]> {
  const menu = (await options.tree.text("/boot/dualroot/grub/grub.cfg")) ?? "";
  const slots: SlotVolume[] = [];
  for (const slot of ["A", "B"] as const) {
    const found = await readSlot(slot, menu, options);
    if (found) slots.push(found);
  }
  return slots;
}

async function readSlot(
  slot: SlotName,
  menu: string,
  { tree, facts, run, root }: SlotOptions,
): Promise<SlotVolume | undefined> {
  const pattern = new RegExp(`^set slot_${slot.toLowerCase()}="([A-Za-z0-9_]+)-([A-Za-z0-9_]+)"$`, "m");
  const [, group, volume] = pattern.exec(menu) ?? [];
  if (group === undefined || volume === undefined) return undefined;
  const device = `/dev/mapper/${group}-${volume}`;
  const number = await deviceNumber(join(root, device));
  const sectors = number && (await tree.text(`/sys/dev/block/${number}/size`));
  if (!sectors) return { slot, device, volume, mountedAt: [], isBusy: false };
  const mounts = facts.mounts.filter((mount) => mount.device === number);
  const isOurs = (target: string): boolean =>
    target === installFolder || target.startsWith(`${installFolder}/`);
  const { type } = await probeSignatures(run, device);
  return {
    slot,
    device,
    volume,
    sizeBytes: Number(sectors) * 512,
    ...(type ? { filesystemType: type } : {}),
    mountedAt: mounts.map(({ target }) => target).filter((target) => !isOurs(target)),
    isBusy: mounts.length === 0 && (await isBusy(join(root, device))),
  };
}

/** `253:1`, by the node itself: it is udev's link to /dev/dm-1, or, where LVM made it, a node of its own. */
async function deviceNumber(path: string): Promise<string | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (facts?.isBlockDevice() !== true) return undefined;
  // Linux' own packing: 12 bits of major number above 8 bits of minor; 12 more bits of minor on top.
  return `${(facts.rdev >> 8) & 0xfff}:${(facts.rdev & 0xff) | ((facts.rdev >> 12) & 0xfff00)}`;
}

/** The kernel lends a device exclusively to one user at a time: a mount of any namespace, swap, a device on top. */
async function isBusy(device: string): Promise<boolean> {
  try {
    await (await open(device, constants.O_RDONLY | constants.O_EXCL)).close();
    return false;
  } catch (error) {
    return hasErrorCode(error, "EBUSY");
  }
}
