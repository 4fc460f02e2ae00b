import { StepError } from "../../format/errors.ts";
import type { OldFilesystem } from "../../format/stash.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import { openTree } from "../facts/tree.ts";
import type { Run } from "../system/run.ts";

const notDisks = /^(ram|loop|sr|fd|zram)/;

/** Device of each filesystem, in the same order. Logical volumes must be active. */
export async function findFilesystems(run: Run, filesystems: readonly OldFilesystem[]): Promise<string[]> {
  const tree = openTree("/");
  const devices = new Map<string, string>();
  for (const name of await tree.list("/sys/class/block")) {
    if (notDisks.test(name)) continue;
    const mapperName = await tree.text(`/sys/class/block/${name}/dm/name`);
    const device = mapperName ? `/dev/mapper/${mapperName}` : `/dev/${name}`;
    const { uuid } = await probeSignatures(run, device);
    if (uuid !== undefined) devices.set(uuid, device);
  }
  return filesystems.map(({ uuid, mountPoint }) => {
    const device = devices.get(uuid);
    if (device !== undefined) return device;
    throw new StepError(
      `The old system's ${mountPoint} (filesystem ${uuid}) is on no disk the ramdisk can see.`,
    );
  });
}
