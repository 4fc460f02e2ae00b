import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { silent } from "../../format/events.ts";
import { decodeGrubenv, encodeGrubenv, grubenvBytes, type SlotName } from "../../format/grubenv.ts";
import { partitionArea, volumeAreas, type DiskArea } from "./disk-areas.ts";

const run = createRun(silent, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });
const grubenvPath = "/grub/grubenv";
const chunkBytes = 4 * 1024 * 1024;

/** The keys of grubenv as GRUB would read them: from the medium, no journal replayed. */
export async function grubenv(disk: string): Promise<Record<string, string>> {
  const content = await withScratch(async (folder) => {
    const boot = await copyOut(disk, [await partitionArea(disk, 2)], join(folder, "boot.img"));
    await run("debugfs", ["-R", `dump ${grubenvPath} ${join(folder, "grubenv")}`, boot]);
    return readFile(join(folder, "grubenv"));
  });
  const keys = decodeGrubenv(content);
  if (!keys) throw new Error(`grubenv on ${disk} cannot be read: ${content.length} bytes`);
  return Object.fromEntries(keys);
}

/** Changes keys in the very bytes of grubenv on the medium. The system must have been switched off properly, else its journal may change them back. */
export async function setGrubenv(disk: string, changes: Readonly<Record<string, string>>): Promise<void> {
  const keys = new Map(Object.entries({ ...(await grubenv(disk)), ...changes }));
  const position = await grubenvPosition(disk);
  const file = await open(disk, "r+");
  await file.write(encodeGrubenv(keys), 0, grubenvBytes, position);
  await file.close();
}

/** Where grubenv begins on the disk, in bytes. It never moves. */
export async function grubenvPosition(disk: string): Promise<number> {
  const area = await partitionArea(disk, 2);
  return withScratch(async (folder) => {
    const boot = await copyOut(disk, [area], join(folder, "boot.img"));
    const { stdout } = await run("debugfs", ["-R", `blocks ${grubenvPath}`, boot]);
    const { stdout: header } = await run("dumpe2fs", ["-h", boot]);
    const blockBytes = Number(/^Block size:\s+(\d+)/m.exec(header)?.[1]);
    return area.startBytes + Number(stdout.trim().split(" ")[0]) * blockBytes;
  });
}

/** Runs debugfs' commands on a slot's filesystem, which must be clean: `rm PATH`, `write FILE PATH`, ... */
export async function changeSlot(disk: string, slot: SlotName, commands: readonly string[]): Promise<void> {
  const areas = await volumeAreas(disk, volumeOf[slot]);
  await withScratch(async (folder) => {
    const image = await copyOut(disk, areas, join(folder, "slot.img"));
    const script = join(folder, "script");
    await writeFile(script, `${commands.join("\n")}\n`);
    const { stdout, stderr } = await run("debugfs", ["-w", "-f", script, image]);
    // Its version, and that there was nothing to remove.
    const complaint = stderr.replaceAll(/^debugfs \d.*\n|^rm: File not found.*\n/gm, "").trim();
    if (complaint !== "") throw new Error(`debugfs: ${complaint}\n${stdout}`);
    await copyIn(disk, areas, image);
  });
}

/** A file of a slot; the filesystem must be clean. */
export async function readInSlot(disk: string, slot: SlotName, path: string): Promise<Buffer> {
  return withScratch(async (folder) => {
    const image = await copyOut(disk, await volumeAreas(disk, volumeOf[slot]), join(folder, "slot.img"));
    await run("debugfs", ["-R", `dump ${path} ${join(folder, "file")}`, image]);
    return readFile(join(folder, "file"));
  });
}

/** SHA-256 of every regular file of a slot, by its path, as Linux would find it: journal replayed. */
export async function slotTree(disk: string, slot: SlotName): Promise<Map<string, string>> {
  return withScratch(async (folder) => {
    const image = await copyOut(disk, await volumeAreas(disk, volumeOf[slot]), join(folder, "slot.img"));
    // 1: mended, namely the journal replayed.
    await run("e2fsck", ["-fy", image], { acceptExitCodes: [1] });
    await run("mkdir", [join(folder, "tree")]);
    await run("debugfs", ["-R", `rdump / ${join(folder, "tree")}`, image]);
    const digest = `cd "$1"; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum`;
    const { stdout } = await run("sh", ["-euc", digest, "digest", join(folder, "tree")]);
    return new Map(
      [...stdout.matchAll(/^([0-9a-f]{64}) {2}\.(.*)$/gm)].map(([, sum, path]) => [path!, sum!]),
    );
  });
}

const volumeOf: Record<SlotName, string> = { A: "root_a", B: "root_b" };

async function copyOut(disk: string, areas: readonly DiskArea[], image: string): Promise<string> {
  await eachChunk(areas, disk, "r", image, "w", async (onDisk, inImage, chunk, at, offset) => {
    await onDisk.read(chunk, 0, chunk.length, at);
    if (chunk.some((byte) => byte !== 0)) await inImage.write(chunk, 0, chunk.length, offset);
    else await inImage.truncate(offset + chunk.length);
  });
  return image;
}

async function copyIn(disk: string, areas: readonly DiskArea[], image: string): Promise<void> {
  await eachChunk(areas, disk, "r+", image, "r", async (onDisk, inImage, chunk, at, offset) => {
    await inImage.read(chunk, 0, chunk.length, offset);
    await onDisk.write(chunk, 0, chunk.length, at);
  });
}

type CopyChunk = (
  onDisk: Awaited<ReturnType<typeof open>>,
  inImage: Awaited<ReturnType<typeof open>>,
  chunk: Buffer,
  at: number,
  offset: number,
) => Promise<void>;

async function eachChunk(
  areas: readonly DiskArea[],
  disk: string,
  diskFlags: string,
  image: string,
  imageFlags: string,
  copy: CopyChunk,
): Promise<void> {
  const onDisk = await open(disk, diskFlags);
  const inImage = await open(image, imageFlags);
  try {
    let offset = 0;
    for (const { startBytes, sizeBytes } of areas)
      for (let done = 0; done < sizeBytes; done += chunkBytes) {
        const chunk = Buffer.alloc(Math.min(chunkBytes, sizeBytes - done));
        await copy(onDisk, inImage, chunk, startBytes + done, offset);
        offset += chunk.length;
      }
  } finally {
    await onDisk.close();
    await inImage.close();
  }
}

async function withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-disk-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
