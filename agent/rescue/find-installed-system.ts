import { mkdir } from "node:fs/promises";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { openTree } from "../facts/tree.ts";
import { readVolumeGroups } from "../facts/volume-groups.ts";
import { captureIdentity } from "../identity/capture.ts";
import { RootFolder } from "../identity/root-folder.ts";
import { loadFilesystems } from "../ramdisk/load-modules.ts";
import type { Session } from "../ramdisk/session.ts";
import { readCards } from "./read-cards.ts";
import { readKeys, type KnownSystem } from "./known-system.ts";

const mountPoint = "/run/dualroot/look";
const readable: Readonly<Record<string, string>> = {
  xfs: "ro,norecovery",
  ext4: "ro,noload",
  ext3: "ro,noload",
  ext2: "ro",
};

/**
 * Looks at slot A, slot B, then everything else that could hold a root filesystem, for the first that knows who this gateway is.
 * Read-only to the last byte: no journal is replayed, and every volume is off again when it is over.
 */
export async function findInstalledSystem(
  session: Session,
): Promise<{ system: KnownSystem; device: string } | undefined> {
  const { run, report } = session;
  await loadFilesystems(run, ["ext4", "xfs"]);
  const { groups } = await readVolumeGroups(run);
  try {
    for (const { name } of groups) await activateReadOnly(session, name);
    for (const device of await candidates()) {
      const { type } = await probeSignatures(run, device);
      const options = type === undefined ? undefined : readable[type];
      if (type === undefined || options === undefined) continue;
      try {
        const system = await lookAt(session, { device, type, options });
        if (system) return { system, device };
      } catch (error) {
        report({ kind: "detail", message: `${device} cannot be looked at: ${String(error)}` });
      }
    }
    return undefined;
  } finally {
    for (const { name } of groups)
      await run("lvm", ["vgchange", "--activate", "n", name], { acceptExitCodes: [5] });
  }
}

/** Settings that go by MAC address need the cards; those that go by a name which udev gave need to be read without. */
async function capture(root: string): ReturnType<typeof captureIdentity> {
  const cards = await readCards();
  const interfaces = cards.map((card) => ({ ...card, up: false, addresses: [] }));
  const withCards = await captureIdentity(root, { interfaces });
  if (withCards.identity.interfaces.length > 0) return withCards;
  return captureIdentity(root);
}

async function activateReadOnly({ run }: Session, group: string): Promise<void> {
  const config = `activation/read_only_volume_list=["${group}"]`;
  await run("lvm", ["vgchange", "--activate", "y", "--config", config, group], { acceptExitCodes: [5] });
}

/** Slots by their names first; then other volumes, then partitions and disks. */
async function candidates(): Promise<string[]> {
  const tree = openTree("/");
  const mapped = (await tree.list("/dev/mapper")).filter((name) => name !== "control");
  const rank = (name: string): number => (name.endsWith("-root_a") ? 0 : name.endsWith("-root_b") ? 1 : 2);
  const volumes = mapped
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((name) => `/dev/mapper/${name}`);
  const blocks = (await tree.list("/sys/class/block")).filter(
    (name) => !/^(ram|loop|dm-|sr|fd|zram)/.test(name),
  );
  return [...volumes, ...blocks.map((name) => `/dev/${name}`)];
}

async function lookAt(
  { run, report }: Session,
  { device, type, options }: { device: string; type: string; options: string },
): Promise<KnownSystem | undefined> {
  await mkdir(mountPoint, { recursive: true });
  await run("mount", ["-t", type, "-o", options, device, mountPoint]);
  try {
    if ((await new RootFolder(mountPoint).stat("/etc/passwd"))?.isFile() !== true) return undefined;
    const { identity, problems } = await capture(mountPoint);
    if (problems.length > 0)
      report({ kind: "detail", message: `identity on ${device}: ${JSON.stringify(problems)}` });
    return await readKeys(mountPoint, identity);
  } finally {
    await run("umount", [mountPoint]);
  }
}
