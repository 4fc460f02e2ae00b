import { sha256Hex } from "../../../format/digest.ts";
import { userError } from "../../../format/errors.ts";
import type { Reporter } from "../../../format/events.ts";
import { stampsOf } from "../../helper/input-stamps.ts";
import type { Entry } from "../../rootfs/walk.ts";
import { keepHeapSmall } from "../../system/small-heap.ts";
import { layStandIns } from "../stand-ins.ts";
import type { RootSource } from "../root-source.ts";
import type { RootChoice } from "./choose-root.ts";
import { DiskGuest } from "./disk-guest.ts";
import { fetchFiles } from "./fetch-files.ts";
import type { ImageDisk } from "./image-disk.ts";
import { listedEntries, type ListedEntry } from "./listed-entries.ts";
import { ListingCache, type Listing } from "./listing-cache.ts";
import { packFromGuest } from "./pack-from-guest.ts";
import { labelledOf } from "./labelled-of.ts";
import { rememberedTars } from "./remembered-tars.ts";

export interface DiskRootInputs {
  /** `qcow2`, `OVA`. */
  kind: string;
  /** In the machine's order. */
  disks: readonly ImageDisk[];
  /** Not there yet; takes what has to lie on this host. */
  scratch: string;
  cacheFolder: string;
  report: Reporter;
}

/**
 * The root filesystem inside disk images, read by the helper: one reading of the whole, besides single files. Its listing and
 * those files are remembered as long as the images' files are the same; the helper starts when something else is asked for.
 */
export async function diskRoot(inputs: DiskRootInputs): Promise<RootSource> {
  const { disks, report, scratch } = inputs;
  keepHeapSmall("pipe");
  const identity = identityOf(disks);
  const cache = new ListingCache(inputs.cacheFolder, report);
  const known = await cache.find(identity);
  const guest = new DiskGuest(
    disks.map(({ disk }) => disk),
    report,
    known?.choice,
  );
  try {
    const { choice, entries } = known ?? (await listed(guest));
    if (!known) await cache.keep(identity, { choice, entries });
    tellIgnored(choice, report);
    await layStandIns(scratch, entries);
    const archiveOnce = (kept: readonly Entry[], { sourceDateEpoch }: { sourceDateEpoch: number }) => {
      const { chunks, digests } = packFromGuest(guest, kept, sourceDateEpoch);
      return { chunks: unchanged(chunks, disks, identity), digests };
    };
    const fetched = new Set<ListedEntry>();
    const tar = rememberedTars({
      cacheFolder: inputs.cacheFolder,
      identity: () => identityOf(disks),
      tar: (paths) => guest.tar(paths),
      report,
    });
    return {
      description: descriptionOf(inputs.kind, disks.length, choice),
      root: scratch,
      entries,
      fetch: async (wanted) => {
        const files = entries.filter(
          (entry) => entry.type === "file" && !fetched.has(entry) && wanted(entry.path),
        );
        for (const file of files) fetched.add(file);
        await fetchFiles(
          tar,
          files.map(({ path }) => path),
          scratch,
        );
      },
      digests: async (files) => {
        const { chunks, digests } = archiveOnce(files, { sourceDateEpoch: 0 });
        for await (const _ of chunks);
        return new Map(digests);
      },
      archive: (kept, options) => archiveOnce(kept, options).chunks,
      archiveOnce,
      labels: async () => await labelledOf(tar, entries),
      close: async () => await guest.close(),
      stamp: async (kept) => sha256Hex([identity, ...kept.map(({ path }) => path)].join("\0")),
    };
  } catch (error) {
    await guest.close();
    throw error;
  }
}

async function listed(guest: DiskGuest): Promise<Listing> {
  const { mounts, ...choice } = await guest.choice();
  // What fsck keeps in each filesystem; the root's own is left out as in any source.
  const lost = mounts
    .filter(({ target }) => target !== "/")
    .map(({ target }) => `${target.slice(1)}/lost+found`);
  const entries = await listedEntries(guest.list());
  return {
    choice: { ...choice, mounts },
    entries: entries.filter(({ path }) => !lost.some((top) => path === top || path.startsWith(`${top}/`))),
  };
}

/** The guest sees half of what a machine that still runs writes: a tree that never was. */
async function* unchanged(
  chunks: AsyncIterable<Uint8Array>,
  disks: readonly ImageDisk[],
  identity: string,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  if (identityOf(disks) !== identity)
    throw userError({
      code: "rootfs-changed",
      message: `${[...new Set(disks.flatMap(({ files }) => files))].join(", ")} changed while it was read`,
      hint: "Shut the machine down, wait until whoever writes the image has finished, and build again.",
    });
}

/** Also which part of a file is a disk: an OVA may be read otherwise by a later version of this program. */
function identityOf(disks: readonly ImageDisk[]): string {
  return sha256Hex(
    JSON.stringify([
      stampsOf(disks.flatMap(({ files }) => files)),
      disks.map(({ disk: { file, format, window } }) => ({ file, format, window })),
    ]),
  );
}

function descriptionOf(kind: string, disks: number, { osName, mounts }: RootChoice): string {
  const places = mounts.map(({ device, target, type }) => `${target} on ${device} (${type})`).join(", ");
  return `${kind}${disks === 1 ? "" : `, ${disks} disks`}: ${osName === "" ? "" : `${osName}, `}${places}`;
}

function tellIgnored({ ignored }: RootChoice, report: Reporter): void {
  for (const { device, why } of ignored)
    report({ kind: "detail", message: `not taken from the image: ${device}: ${why}` });
}
