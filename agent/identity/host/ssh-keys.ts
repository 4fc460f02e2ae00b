import { createHash } from "node:crypto";

/** `SHA256:…` of a public key line `ssh-ed25519 AAAA… comment`, as `ssh-keygen -l` prints it. */
export function publicKeyFingerprint(line: string): string | undefined {
  const blob = /(?:^|\s)(?:ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+|sk-[a-z0-9@.-]+)\s+([A-Za-z0-9+/]+={0,2})/.exec(
    line,
  )?.[1];
  if (blob === undefined) return undefined;
  return `SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
}

/** Count and digest of the keys in an authorized_keys file, whatever order and comments they have. */
export function authorizedKeysDigest(text: string): { keys: number; sha256: string } {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const sorted = [...new Set(lines)].sort();
  return { keys: sorted.length, sha256: createHash("sha256").update(sorted.join("\n")).digest("hex") };
}

/** Host keys that sshd_config names beyond the standard ones. */
export function unusualHostKeys(sshdConfig: string): string[] {
  return [...sshdConfig.matchAll(/^\s*HostKey\s+"?([^"\s]+)/gim)]
    .map((match) => match[1] ?? "")
    .filter((path) => !/^\/etc\/ssh\/ssh_host_[a-z0-9]+_key$/.test(path));
}
