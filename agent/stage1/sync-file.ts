import { open } from "node:fs/promises";

/** Returns when the file's content is on the medium. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
