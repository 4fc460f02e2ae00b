import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { exists, readBounded, readTextIfExists } from "../../agent/system/files.ts";
import { userError } from "../../format/errors.ts";
import type { RaucRelease } from "../release/release.ts";
import { rootedPath } from "../rootfs/rooted-path.ts";
import { raucPlaces } from "./rauc-places.ts";

/** What RAUC would find in the slot, and what the release gives it; decides nothing. */
export interface RaucFacts {
  installed: boolean;
  /** The release's own system.conf, of its overlay or its root filesystem. */
  ownConfig?: string;
  /** The release has a keyring at that place already. */
  ownKeyring: boolean;
  /** Those of loop, squashfs and dm-verity that the target's kernel lacks. */
  missingModules: string[];
  /** PEM. */
  keyring: string;
  /** Subjects of the keyring's certificates. */
  trusts: string[];
}

/** What RAUC 1.8 needs to mount a verity bundle; nothing loads it by itself where it is neither module nor built in. */
const modules = ["loop", "squashfs", "dm-verity"];
const largestKeyring = 1024 * 1024;

export async function readRaucFacts(
  rauc: RaucRelease,
  places: { root: string; overlay: string | undefined; modulesFolder: string | undefined },
): Promise<RaucFacts> {
  const roots = [...(places.overlay === undefined ? [] : [places.overlay]), places.root];
  const found = async <Value>(look: (path: string) => Promise<Value>, path: string): Promise<Value[]> =>
    Promise.all(roots.map(async (root) => look(await rootedPath(root, path))));
  const ownConfig = (await found(readTextIfExists, raucPlaces.systemConfig)).find(
    (text) => text !== undefined,
  );
  const { keyring, trusts } = await readKeyring(rauc.keyringFile);
  return {
    installed: (await found(exists, raucPlaces.program)).includes(true),
    ...(ownConfig === undefined ? {} : { ownConfig }),
    ownKeyring: (await found(exists, raucPlaces.keyring)).includes(true),
    missingModules:
      places.modulesFolder === undefined ? [] : await missingModules(places.root, places.modulesFolder),
    keyring,
    trusts,
  };
}

async function missingModules(root: string, folder: string): Promise<string[]> {
  const lists = await Promise.all(
    ["modules.dep", "modules.builtin"].map(
      async (name) => (await readTextIfExists(await rootedPath(root, join(folder, name)))) ?? "",
    ),
  );
  return modules.filter(
    (name) => !lists.some((list) => new RegExp(`(?:^|/)${name}\\.ko(?:[.:\\s]|$)`, "m").test(list)),
  );
}

async function readKeyring(file: string): Promise<{ keyring: string; trusts: string[] }> {
  const bytes = await readBounded(file, largestKeyring).catch(() => undefined);
  const keyring = bytes?.toString("utf8") ?? "";
  const certificates = keyring.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const trusts = certificates.map((pem) => new X509Certificate(pem).subject.split("\n").join(", "));
    if (trusts.length > 0) return { keyring, trusts };
  } catch {
    // Said below, as for a file without certificates.
  }
  throw userError({
    code: "rauc-keyring-invalid",
    message: bytes ? `${file} has no certificates in PEM` : `there is no keyring ${file}`,
    hint: "rauc.keyring is a PEM file with the certificates that may sign bundles, or with those of their authorities.",
    where: file,
  });
}
