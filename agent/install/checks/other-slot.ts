import { formatSizePair, MiB } from "../../../format/sizes.ts";
import { refuse, warnAbout, type InstallCheck } from "./install-check.ts";

/** As the builder asks it of the release's own layout: files, the filesystem's own share, and room to go on working. */
function neededBytes(unpackedBytes: number): number {
  return unpackedBytes + unpackedBytes / 10 + 64 * MiB;
}

/** The slot to write: there, large enough, and nobody's. */
export const otherSlot: InstallCheck = {
  name: "other-slot",
  title: "Other slot",
  run: ({ other, manifest, install: { running, slots, records } }) => {
    if (running === undefined) return undefined;
    const name = running === "A" ? "B" : "A";
    if (!other || other.sizeBytes === undefined)
      return refuse({
        code: "slot-missing",
        message: other
          ? `The volume of slot ${name}, ${other.device}, is not there.`
          : `GRUB's menu knows no slot ${name}: this gateway has ${slots.length === 1 ? "one slot" : "no second slot"}.`,
        hint: other
          ? "lvs shows the volumes; activate it."
          : "A gateway with one slot cannot be upgraded online.",
      });
    const [place] = other.mountedAt;
    // For `adopt` too: found out only when the slot is marked bad already, it would cost the way back.
    if (place !== undefined || other.isBusy)
      return refuse({
        code: "slot-in-use",
        message: `Slot ${name}, ${other.device}, is in use: ${place === undefined ? "a program holds it" : `mounted at ${place}`}.`,
        hint: place === undefined ? "lsblk and fuser show who." : `umount ${place}`,
      });
    const needs = neededBytes(manifest.target.unpackedBytes);
    const [hasText, needsText] = formatSizePair(other.sizeBytes, needs);
    if (other.sizeBytes < needs)
      return refuse({
        code: "slot-too-small",
        message: `The new system needs ${needsText}, and slot ${name} has ${hasText}.`,
        hint: "Use a smaller release, or lvextend both slots.",
      });
    const record = records[name];
    if (record?.oldSystem === true)
      return warnAbout({
        code: "old-system-goes",
        message: `Slot ${name} holds the old system (${record.name}): after this upgrade there is no way back to it.`,
        hint: `Copy from it what is still wanted: mount -o ro ${other.device} /mnt`,
      });
    return `slot ${name}, ${other.device}${record ? `, now ${record.name} ${record.version}` : ""}`;
  },
};

/** The disk stays as it is; the release must find its own slots on it. */
export const slotLayout: InstallCheck = {
  name: "layout",
  title: "Layout",
  run: ({ manifest: { layout }, install: { system, slots } }) => {
    if (!system) return undefined;
    const has = slots.map(({ slot, volume }) => `${slot}=${system.volumeGroup}/${volume}`);
    const wants = layout.volumes.flatMap(({ slot, name }) =>
      slot ? [`${slot}=${layout.volumeGroup}/${name}`] : [],
    );
    if (wants.toSorted().join(" ") === has.toSorted().join(" ")) return has.join(", ");
    return refuse({
      code: "layout-differs",
      message: `The release wants the slots ${wants.join(", ")}, and this gateway has ${has.join(", ") || "none"}.`,
      hint: "An upgrade leaves the disk as it is: use a release with the layout this gateway was converted with.",
    });
  },
};
