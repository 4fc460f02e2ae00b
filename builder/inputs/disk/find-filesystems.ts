import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Helper } from "../../helper/helper.ts";
import { ByteReader } from "../../rootfs/byte-reader.ts";
import { readTar } from "../tar/read-tar.ts";
import {
  blkidCommand,
  blockDevices,
  lsblkCommand,
  lvsCommand,
  type BlockDevice,
  withTags,
} from "./block-devices.ts";
import { readableTypes, type FoundFilesystem } from "./found-filesystem.ts";

const script = fileURLToPath(new URL("look-inside.sh", import.meta.url));

/** What lies on the disks of a helper: all filesystems, also in volumes, and what tells whether they are a root. */
export async function findFilesystems(helper: Helper): Promise<FoundFilesystem[]> {
  const complaint = await activateVolumes(helper);
  const [lsblk, lvs] = [
    await helper.run(lsblkCommand),
    await helper.run(lvsCommand, { acceptExitCodes: "any" }),
  ];
  const places = blockDevices(lsblk.stdout.toString(), lvs.stdout.toString());
  // 2: nothing was found on any.
  const blkid = await helper.run(blkidCommand(places), { acceptExitCodes: [2, 8] });
  const devices = withTags(places, blkid.stdout.toString());
  const known = devices.filter(({ type }) => readableTypes.has(type));
  const answers = await lookInside(helper, known);
  return devices.map((device) => {
    const index = known.findIndex((one) => one.device === device.device);
    return { ...device, ...(index === -1 ? withoutLook(device, complaint) : answers(index)) };
  });
}

/** Groups that lack a disk stay as they are; gives what LVM says of it. */
export async function activateVolumes(helper: Helper): Promise<string> {
  // The image's thin pools are not checked: their tools are not there, and what is written is forgotten.
  const { stderr } = await helper.run(
    ["vgchange", "--activate=y", '--config=global/thin_check_executable="" global/cache_check_executable=""'],
    { acceptExitCodes: "any" },
  );
  return stderr.toString();
}

async function lookInside(
  helper: Helper,
  devices: readonly BlockDevice[],
): Promise<(index: number) => Partial<FoundFilesystem>> {
  const words = devices.flatMap(({ device, type, kernelName }) => [device, type, kernelName]);
  const { stdout } = await helper.run(["sh", "-c", await readFile(script, "utf8"), "sh", ...words]);
  const files = new Map<string, string>();
  for await (const { header, content } of readTar(new ByteReader(oneChunk(stdout)), { mayLackEnd: false })) {
    if (header.type !== "file") continue;
    const parts: Buffer[] = [];
    for await (const part of content) parts.push(part);
    files.set(header.path, Buffer.concat(parts).toString());
  }
  return (index) => {
    const file = (name: string) => files.get(`./${index}/${name}`);
    const [fstab, osRelease, error] = [file("fstab"), file("os-release"), file("error")];
    if (error !== undefined) return { error: error.trim().split("\n")[0]! };
    return {
      content: {
        hasInit: file("init") !== undefined,
        ...(fstab === undefined ? {} : { fstab }),
        ...(osRelease === undefined ? {} : { osRelease }),
      },
    };
  };
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function withoutLook({ type }: FoundFilesystem, complaint: string): Partial<FoundFilesystem> {
  if (type !== "LVM2_member") return {};
  const why = complaint
    .trim()
    .replaceAll(/\s*\n\s*/g, "; ")
    .slice(0, 500);
  return { error: why === "" ? "its volume group has no volumes" : why };
}
