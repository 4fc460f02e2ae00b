import type { Problem } from "../../format/errors.ts";
import type { Identity } from "../../format/identity.ts";
import type { PasswdEntry } from "./accounts/account-tables.ts";
import { authorizedKeysDigest, publicKeyFingerprint, unusualHostKeys } from "./host/ssh-keys.ts";
import type { RootFolder } from "./root-folder.ts";

export interface SshIdentity {
  hostKeys: NonNullable<Identity["sshHostKeys"]>;
  authorizedKeys: NonNullable<Identity["authorizedKeys"]>;
  problems: Problem[];
}

/** Fingerprints, never keys: what a person compares when a client says that the host has changed. */
export async function readSshIdentity(
  folder: RootFolder,
  accounts: readonly PasswdEntry[],
): Promise<SshIdentity> {
  const result: SshIdentity = { hostKeys: [], authorizedKeys: [], problems: [] };
  for (const path of await folder.glob("/etc/ssh/ssh_host_*_key.pub")) {
    const fingerprint = publicKeyFingerprint((await folder.readText(path)) ?? "");
    if (fingerprint !== undefined) result.hostKeys.push({ file: path.replace(/\.pub$/, ""), fingerprint });
  }
  for (const account of accounts) {
    if (!account.home.startsWith("/") || account.home === "/") continue;
    const texts = await Promise.all(
      ["authorized_keys", "authorized_keys2"].map((name) => folder.readText(`${account.home}/.ssh/${name}`)),
    );
    const { keys, sha256 } = authorizedKeysDigest(texts.filter((text) => text !== undefined).join("\n"));
    if (keys > 0) result.authorizedKeys.push({ user: account.name, keys, sha256 });
  }
  const configs = ["/etc/ssh/sshd_config", ...(await folder.glob("/etc/ssh/sshd_config.d/*.conf"))];
  for (const path of configs) {
    const text = (await folder.readText(path)) ?? "";
    for (const key of unusualHostKeys(text)) {
      result.problems.push({
        code: "ssh-setting-not-carried",
        message: `sshd uses the host key ${key}; only keys at /etc/ssh/ssh_host_*_key are carried as the new system's`,
        hint: "Move the key to a standard name, or carry it with preserve.paths and name it in the release's sshd_config.",
        where: path,
      });
    }
    const elsewhere = /^\s*AuthorizedKeysFile\s+(.+)$/im.exec(text)?.[1]?.trim();
    if (elsewhere !== undefined && !/^(\.ssh\/authorized_keys2?\s*)+$/.test(elsewhere)) {
      result.problems.push({
        code: "ssh-setting-not-carried",
        message: `sshd reads authorized keys from ${JSON.stringify(elsewhere)}; the new system reads what its own sshd_config says`,
        hint: "Carry the files with preserve.paths and set AuthorizedKeysFile in the release, or move the keys to ~/.ssh/authorized_keys.",
        where: path,
      });
    }
  }
  return result;
}
