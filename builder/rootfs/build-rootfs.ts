import { fileURLToPath } from "node:url";
import { sha256Hex } from "../../format/digest.ts";
import type { Reporter } from "../../format/events.ts";
import type { RaucPlan } from "../rauc/plan-rauc.ts";
import { raucFiles } from "../rauc/rauc-files.ts";
import { writeArchive } from "../system/write-archive.ts";
import { generatedFiles } from "./generated-files.ts";
import { indexOf, indexPath } from "./index-file.ts";
import { overlayArchive } from "./overlay-archive.ts";
import { mergeOverlays, placeIn, readOverlay } from "./overlay.ts";
import type { Entry } from "./walk.ts";

const ourOverlay = fileURLToPath(new URL("../../rootfs-overlay", import.meta.url));

export interface RootfsInputs {
  root: string;
  kept: readonly Entry[];
  /** The release's own overlay folder. */
  overlay: string | undefined;
  rauc?: RaucPlan | undefined;
  enableNetworkd: boolean;
  mountPoints: readonly string[];
  sourceDateEpoch: number;
  compression: { xzLevel: number; blockBytes: number };
}

export interface RootfsResult {
  indexSha256: string;
  entries: number;
  sizeBytes: number;
  sha256: string;
}

/** Writes rootfs.tar.xz: overlays and index first, then the source without what they replace. Same inputs, same bytes. */
export async function buildRootfs(
  inputs: RootfsInputs,
  output: string,
  report: Reporter,
): Promise<RootfsResult> {
  const { root, sourceDateEpoch } = inputs;
  const folders = new Set(inputs.kept.filter((entry) => entry.type === "folder").map((entry) => entry.path));
  const overlay = mergeOverlays(
    [
      generatedFiles(inputs),
      raucFiles(inputs.rauc),
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
  const index = await indexOf(root, kept, overlay, progress);
  const head = mergeOverlays(
    [overlay, [{ path: await placeIn(root, indexPath), mode: 0o644, type: "file", content: index }]],
    folders,
  );
  const written = await writeArchive({
    head: overlayArchive(head, sourceDateEpoch),
    root,
    names: Buffer.from(
      ["./", ...kept.map((entry) => `./${entry.path}`)].map((name) => `${name}\0`).join(""),
      "latin1",
    ),
    sourceDateEpoch,
    sparse: kept.some((entry) => entry.type === "file" && entry.allocatedBytes < entry.sizeBytes),
    ...inputs.compression,
    output,
    onBytes: (done) => progress(totalBytes + done),
    report,
  });
  return { ...written, indexSha256: sha256Hex(index), entries: kept.length + head.length };
}
