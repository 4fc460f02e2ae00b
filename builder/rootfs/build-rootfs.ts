import { fileURLToPath } from "node:url";
import { sha256Hex } from "../../format/digest.ts";
import type { Reporter } from "../../format/events.ts";
import type { RootSource } from "../inputs/root-source.ts";
import { compressXz } from "../system/compress-xz.ts";
import { writeChunks } from "../system/write-chunks.ts";
import { cachedBody } from "./cached-body.ts";
import { indexPath, indexText } from "./index-file.ts";
import { overlayArchive } from "./overlay-archive.ts";
import { mergeOverlays, placeIn, readOverlay, type OverlayEntry } from "./overlay.ts";
import type { Entry } from "./walk.ts";

const ourOverlay = fileURLToPath(new URL("../../rootfs-overlay", import.meta.url));

export interface RootfsInputs {
  source: RootSource;
  kept: readonly Entry[];
  /** The release's own overlay folder. */
  overlay: string | undefined;
  /** Laid below both overlays. */
  generated: readonly OverlayEntry[];
  sourceDateEpoch: number;
  compression: { xzLevel: number; blockBytes: number };
  /** Where packed sources are kept between builds. */
  cacheFolder: string;
}

export interface RootfsResult {
  indexSha256: string;
  entries: number;
  sizeBytes: number;
  sha256: string;
  /** The source was not packed again. */
  fromCache: boolean;
}

/**
 * Writes rootfs.tar.xz: overlays and index as a first xz stream, the source without what they replace as a second, which
 * stays the same when only an overlay's content changes. Same inputs, same bytes.
 */
export async function buildRootfs(
  inputs: RootfsInputs,
  output: string,
  report: Reporter,
): Promise<RootfsResult> {
  const { sourceDateEpoch, source, compression } = inputs;
  const { root } = source;
  const folders = new Set(inputs.kept.filter((entry) => entry.type === "folder").map((entry) => entry.path));
  const overlay = mergeOverlays(
    [
      inputs.generated,
      await readOverlay(ourOverlay, root, { modes: "program", skip: ["README.md"] }),
      inputs.overlay === undefined ? [] : await readOverlay(inputs.overlay, root, { modes: "given" }),
    ],
    folders,
  );
  const replaced = new Set([...overlay.map((entry) => entry.path), indexPath]);
  const kept = inputs.kept.filter((entry) => !replaced.has(entry.path));

  const totalBytes = kept.reduce((sum, entry) => sum + (entry.type === "file" ? entry.sizeBytes : 0), 0);
  const progress = (done: number) =>
    report({
      kind: "progress",
      step: "rootfs",
      done: Math.min(done, 2 * totalBytes),
      total: 2 * totalBytes,
      unit: "bytes",
    });
  const body = await cachedBody({ ...inputs, kept, progress, totalBytes, report });
  try {
    const index = indexText(body.digests, overlay);
    const head = mergeOverlays(
      [overlay, [{ path: await placeIn(root, indexPath), mode: 0o644, type: "file", content: index }]],
      folders,
    );
    const written = await writeChunks(output, [
      compressXz(overlayArchive(head, sourceDateEpoch), compression),
      body.chunks(),
    ]);
    await body.keep();
    return {
      ...written,
      indexSha256: sha256Hex(index),
      entries: kept.length + head.length,
      fromCache: body.fromCache,
    };
  } finally {
    await body.close();
  }
}
