import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Identity } from "../../format/identity.ts";
import { RootFolder } from "../identity/root-folder.ts";
import type { Session } from "../ramdisk/session.ts";

/** What makes this machine the gateway, in memory: no disk is needed any more. */
export interface KnownSystem {
  identity: Identity;
  /** Private host keys as OpenSSH keeps them, by type. */
  hostKeys: ReadonlyMap<HostKeyType, Buffer>;
  /** Text of authorized_keys by home folder. */
  authorizedKeys: ReadonlyMap<string, string>;
}

/** What dropbear can use too. */
export const hostKeyTypes = ["ed25519", "ecdsa", "rsa"] as const;
export type HostKeyType = (typeof hostKeyTypes)[number];

const keyMaxBytes = 64 * 1024;
const authorizedMaxBytes = 1024 * 1024;

/** Copies keys from a system's root folder. */
export async function readKeys(root: string, identity: Identity): Promise<KnownSystem> {
  const folder = new RootFolder(root);
  const hostKeys = new Map<HostKeyType, Buffer>();
  for (const type of hostKeyTypes) {
    const bytes = await folder.readBytes(`/etc/ssh/ssh_host_${type}_key`, keyMaxBytes);
    if (bytes !== undefined) hostKeys.set(type, bytes);
  }
  const authorizedKeys = new Map<string, string>();
  for (const { home } of identity.users) {
    if (!home.startsWith("/") || home === "/") continue;
    const texts: string[] = [];
    for (const name of ["authorized_keys", "authorized_keys2"]) {
      const bytes = await folder.readBytes(`${home}/.ssh/${name}`, authorizedMaxBytes);
      if (bytes !== undefined) texts.push(bytes.toString("utf8"));
    }
    if (texts.length > 0) authorizedKeys.set(home, `${texts.join("\n")}\n`);
  }
  return { identity, hostKeys, authorizedKeys };
}

/** From the stash: its identity, and the keys in preserved.tar, of which no more than these are unpacked. */
export async function fromStash(
  { run }: Pick<Session, "run">,
  identity: Identity,
  preservedTar: string,
  scratch = "/run/dualroot/rescue-keys",
): Promise<KnownSystem> {
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    const patterns = ["./etc/ssh/ssh_host_*_key", "./*/.ssh/authorized_keys*"];
    const args = [
      "--extract",
      `--file=${preservedTar}`,
      `--directory=${scratch}`,
      "--no-same-owner",
      "--wildcards",
    ];
    // 2: a pattern that nothing matches, too.
    await run("tar", [...args, ...patterns], { acceptExitCodes: [2] });
    return await readKeys(join(scratch), identity);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
