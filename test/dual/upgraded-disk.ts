import { copySlot, changeSlot, setGrubenv } from "./disk-content.ts";
import { tinyDualDisk } from "./tiny-dual.ts";

/** A new image in `folder`: slot A runs, slot B is a copy of it that was never proven, and is next. */
export async function upgradedDisk(folder: string): Promise<string> {
  const { image: disk } = await tinyDualDisk(folder);
  await copySlot(disk, "A", "B");
  await changeSlot(disk, "B", ["rm /boot/slot.proven"]);
  await setGrubenv(disk, { ORDER: "B A", B_OK: "1", B_TRY: "0" });
  return disk;
}
