import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** Of each kind: those used last. Older ones belong to kernels, tools or QEMUs of before; a state has about 150 MB. */
const kept = 3;
const scratchLifeMs = 24 * 60 * 60 * 1000;

/**
 * Gives `work` a path of its own beside `target`, to make something under and rename it. Whatever is there in the end goes,
 * also when this process is interrupted.
 */
export async function withScratch<T>(target: string, work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = `${target}.new-${randomUUID()}`;
  const remove = (): void => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(scratch);
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** Notes that it was used now. Somebody else's cache may be read-only: no matter. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

/** Removes states, ramdisks and kernels that were not used for long, and what killed processes left behind. */
export async function removeOld(folder: string): Promise<void> {
  const names = await readdir(folder);
  const all = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const usedAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
      return { name, path, usedAt };
    }),
  );
  const newestFirst = all.sort((a, b) => b.usedAt - a.usedAt);
  const isScratch = ({ name }: { name: string }): boolean => name.includes(".new-");
  const doomed = newestFirst.filter((entry) => isScratch(entry) && Date.now() - entry.usedAt > scratchLifeMs);
  for (const kind of [/^state-/, /^ramdisk-.*\.img$/, /^ramdisk-.*\.json$/, /^vmlinux-/])
    doomed.push(...newestFirst.filter((entry) => kind.test(entry.name) && !isScratch(entry)).slice(kept));
  for (const { path } of doomed) await rm(path, { recursive: true, force: true });
}
