import type { Release } from "../release/release.ts";

/** dracut activates only the volume groups it is told of; the word is the same for both slots. */
export function targetCommandLine(release: Release, initramfs: readonly string[], rebuild: string): string {
  const words = release.target.commandLine.split(/\s+/).filter(Boolean);
  const dracut =
    rebuild === "dracut" ||
    (rebuild === "none" &&
      initramfs.some((name) => /(?:^|\/)dracut-lib\.sh$|^usr\/lib\/dracut\//.test(name)));
  if (dracut && !words.some((word) => word.startsWith("rd.lvm.")))
    words.push(`rd.lvm.vg=${release.layout.volumeGroup}`);
  return words.join(" ");
}
