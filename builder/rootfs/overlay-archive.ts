import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { pack, type Pack } from "tar-stream";
import { userError } from "../../format/errors.ts";
import type { OverlayEntry, StoredFile } from "./overlay.ts";
import { shownPath } from "./raw-path.ts";

type HeaderInput = Parameters<Pack["entry"]>[0];

/** tar-stream ends an archive with two zero blocks; without them another archive can follow. */
const endBytes = 1024;

/** A tar of the overlay without its end, so that GNU tar's archive of the rest can be put behind it. */
export async function* overlayArchive(
  entries: readonly OverlayEntry[],
  modifiedAt: number,
): AsyncGenerator<Buffer> {
  const archive = pack();
  const writing = (async () => {
    for (const entry of entries) {
      const header: HeaderInput = {
        name: `./${shownPath(entry.path)}`,
        mode: entry.mode,
        uid: 0,
        gid: 0,
        mtime: new Date(modifiedAt * 1000),
      };
      const content = entry.type === "file" ? entry.content : Buffer.alloc(0);
      const size = "source" in content ? content.sizeBytes : content.length;
      const stream = archive.entry({ ...header, ...kindOf(entry), size });
      // Whoever reads the archive gets the error.
      stream.on("error", () => {});
      if ("source" in content) {
        for await (const chunk of unchanged(content)) if (!stream.write(chunk)) await once(stream, "drain");
        stream.end(Buffer.alloc(0));
      } else stream.end(content);
      await once(stream, "finish");
    }
    archive.finalize();
  })();
  writing.catch((error: unknown) =>
    archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  let held = Buffer.alloc(0);
  for await (const chunk of archive as AsyncIterable<Buffer>) {
    const all = Buffer.concat([held, chunk]);
    const ready = Math.max(0, all.length - endBytes);
    if (ready > 0) yield all.subarray(0, ready);
    held = all.subarray(ready);
  }
  await writing;
}

/** What was digested before, and no more or less of it. */
async function* unchanged({ source, sizeBytes, sha256 }: StoredFile): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(source, {
    highWaterMark: 256 * 1024,
  }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes > sizeBytes) break;
    yield chunk;
  }
  if (bytes !== sizeBytes || hash.digest("hex") !== sha256)
    throw userError({
      code: "rootfs-changed",
      message: `${source} changed while it was read`,
      hint: "Wait until whoever writes into the overlay has finished, and build again.",
    });
}

function kindOf(entry: OverlayEntry): Pick<HeaderInput, "type" | "linkname"> {
  if (entry.type === "link") return { type: "symlink", linkname: entry.target };
  return { type: entry.type === "folder" ? "directory" : "file" };
}
