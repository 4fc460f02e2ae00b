import { sha256Hex } from "../../../format/digest.ts";
import { InternalError } from "../../../format/errors.ts";
import type { Reporter } from "../../../format/events.ts";
import { stampsOf } from "../../helper/input-stamps.ts";
import type { Layer } from "../image/layer.ts";
import { layeredRoot } from "../image/layered-root.ts";
import { MergedTree } from "../image/merged-tree.ts";
import { scanLayers } from "../image/scan-layers.ts";
import type { RootSource } from "../root-source.ts";
import type { RootChoice } from "./choose-root.ts";
import { DiskGuest } from "./disk-guest.ts";
import type { ImageDisk } from "./image-disk.ts";
import { ListingCache, type Listing } from "./listing-cache.ts";

export interface DiskRootInputs {
  /** The file that was given. */
  source: string;
  /** `qcow2`, `OVA`. */
  kind: string;
  /** In the machine's order; asked for once, when they are read for the first time since they changed or are needed again. */
  disks: readonly ImageDisk[];
  /** Not there yet; takes what has to lie on this host. */
  scratch: string;
  cacheFolder: string;
  report: Reporter;
}

/**
 * The root filesystem inside disk images, read by the helper. Its listing is remembered as long as the images' files are the
 * same, so that a second build reads no more than single files.
 */
export async function diskRoot(inputs: DiskRootInputs): Promise<RootSource> {
  const { disks, report, source } = inputs;
  const identity = identityOf(disks);
  const cache = new ListingCache(inputs.cacheFolder, report);
  const known = await cache.find(identity);
  const guest = new DiskGuest(
    disks.map(({ disk }) => disk),
    report,
    known?.choice,
  );
  try {
    const layer: Layer = {
      name: source,
      mayLackEnd: false,
      open: () => guest.tree(),
      openFiles: (paths) => guest.files(paths),
    };
    const { tree, choice } = known
      ? { tree: treeOf(known), choice: known.choice }
      : await listed(layer, guest, async (listing) => await cache.keep(identity, listing));
    tellIgnored(choice, report);
    return await layeredRoot({
      description: descriptionOf(inputs.kind, disks.length, choice),
      layers: [layer],
      tree,
      root: inputs.scratch,
      identity,
      close: async () => await guest.close(),
      report,
    });
  } catch (error) {
    await guest.close();
    throw error;
  }
}

async function listed(
  layer: Layer,
  guest: DiskGuest,
  keep: (listing: Listing) => Promise<void>,
): Promise<{ tree: MergedTree; choice: RootChoice }> {
  const entries: Listing["entries"] = [];
  const tree = await scanLayers([layer], {
    whiteouts: false,
    onEntry: (header, sha256) => entries.push({ header, ...(sha256 === undefined ? {} : { sha256 }) }),
  });
  const choice = await guest.choice();
  await keep({ choice, entries });
  return { tree, choice };
}

function treeOf({ entries }: Listing): MergedTree {
  const tree = new MergedTree({ whiteouts: false });
  tree.startLayer();
  for (const { header, sha256 } of entries) {
    const added = tree.add(header);
    if ("problem" in added) throw new InternalError(`a listing was kept that has: ${added.problem.message}`);
    if (added.inode && sha256 !== undefined) added.inode.sha256 = sha256;
  }
  return tree;
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
