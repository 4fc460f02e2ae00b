import { ByteReader } from "../../rootfs/byte-reader.ts";
import type { Entry } from "../../rootfs/walk.ts";
import { readTar } from "../tar/read-tar.ts";
import type { TarOf } from "./remembered-tars.ts";

const labelSample = 200;

/** Looks at some folders: they have labels as files do, and no content that would have to be read. */
export async function labelledOf(
  tar: TarOf,
  entries: readonly Entry[],
): Promise<{ looked: number; labelled: number }> {
  const folders = entries.filter(({ type }) => type === "folder");
  const every = Math.max(1, Math.ceil(folders.length / labelSample));
  const sample = folders.filter((_, index) => index % every === 0).map(({ path }) => path);
  const reader = new ByteReader(tar(sample));
  let labelled = 0;
  try {
    for await (const { header } of readTar(reader, { mayLackEnd: false }))
      if (header.xattrs.has("security.selinux")) labelled += 1;
    while (await reader.skip(1024 * 1024));
  } finally {
    await reader.close();
  }
  return { looked: sample.length, labelled };
}
