import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createKeyPair } from "../../../builder/package/create-key-pair.ts";
import { cachedFolder, readInputs } from "../../fixtures/cache.ts";
import { sourceDigest } from "../../fixtures/fixture-package.ts";
import { makePowerPackage } from "./power-package.ts";
import type { TinyRelease } from "./target-tree.ts";

/** Folder of dev.key and dev.pub. Made once: a later release must be signed by whoever signed the one that runs. */
export function tinyKeys(): Promise<string> {
  return cachedFolder({ name: "tiny-keys", inputs: ["dev"] }, async (folder) => {
    await createKeyPair(join(folder, "pair"), "dev");
    for (const name of ["dev.key", "dev.pub"]) await rename(join(folder, "pair", name), join(folder, name));
  });
}

/** The one that the conversion installs. */
export const firstRelease: TinyRelease = { version: "2", counter: 1 };

/** Folder of the package with a release of the tiny system: it converts the tiny gateway, and upgrades it. */
export async function powerPackage(release: TinyRelease = firstRelease): Promise<string> {
  const keys = await tinyKeys();
  const inputs = [JSON.stringify(release), keys, await sourceDigest(), ...(await tinySystemInputs())];
  const folder = await cachedFolder({ name: `power-package-${release.version}`, inputs }, async (scratch) => {
    await makePowerPackage(join(scratch, "scratch"), join(scratch, "package"), { ...release, keys });
    await rm(join(scratch, "scratch"), { recursive: true });
  });
  return join(folder, "package");
}

/** Everything the tiny systems are made by. */
export async function tinySystemInputs(): Promise<string[]> {
  const folder = fileURLToPath(new URL("./", import.meta.url));
  return readInputs((await readdir(folder)).toSorted().map((name) => join(folder, name)));
}
