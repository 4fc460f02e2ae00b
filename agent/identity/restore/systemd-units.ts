import type { RootFolder } from "../root-folder.ts";
import type { TargetWriter } from "./target-writer.ts";

const unitFolders = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/** What `systemctl enable` does, offline: a link in the target's wants folder, and the D-Bus alias where there is one. */
export async function enableUnit(
  target: TargetWriter,
  unit: string,
  wantedBy: string,
  alias?: string,
): Promise<boolean> {
  const path = await unitPath(target, unit);
  if (path === undefined) return false;
  // A unit masked by the image is a decision of its maker, but without its network the gateway is lost.
  if ((await target.linkTarget(`/etc/systemd/system/${unit}`)) === "/dev/null")
    await target.remove(`/etc/systemd/system/${unit}`);
  const link = `/etc/systemd/system/${wantedBy}.wants/${unit}`;
  if ((await target.lstat(link)) === undefined) await target.link(link, path);
  if (alias !== undefined && (await target.lstat(`/etc/systemd/system/${alias}`)) === undefined) {
    await target.link(`/etc/systemd/system/${alias}`, path);
  }
  return true;
}

export async function isUnitEnabled(root: RootFolder, unit: string): Promise<boolean> {
  return (await root.glob(`/etc/systemd/system/*.wants/${unit}`)).length > 0;
}

async function unitPath(root: RootFolder, unit: string): Promise<string | undefined> {
  for (const folder of unitFolders)
    if ((await root.stat(`${folder}/${unit}`))?.isFile() === true) return `${folder}/${unit}`;
  return undefined;
}
