import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A folder with one of everything that copying loses easily. */
export async function makeTree(folder: string): Promise<void> {
  mkdirSync(join(folder, "etc/deep"), { recursive: true });
  const file = (name: string, content: string | Uint8Array = name): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  file("etc/deep/random", randomBytes(3_000_000));
  linkSync(join(folder, "etc/deep/random"), join(folder, "hard-link"));
  symlinkSync("etc/deep/nowhere", join(folder, "link"));
  truncateSync(file("sparse"), 64 * 1024 * 1024);
  file("new\nline");
  const owned = file("setuid");
  chownSync(owned, 12345, 54321);
  chmodSync(owned, 0o4751);
  execFileSync("mknod", [join(folder, "device"), "c", "1", "3"]);
  execFileSync("mkfifo", [join(folder, "pipe")]);
  // Bytes that are no text, as an IMA signature or a capability has them.
  execFileSync("setfattr", ["-n", "user.binary", "-v", "0xff00fe80", file("attributes")]);
  execFileSync("setfacl", ["-m", "u:4321:rx,g:1234:w", file("acl")]);
  execFileSync("setcap", ["cap_net_raw+ep", file("capable")]);
}

/** All of it as text: type, mode, owners, size, times, links, contents, attributes. */
export function treeFacts(folder: string): string[] {
  const shell = (command: string): string[] =>
    execFileSync("sh", ["-c", `LC_ALL=C; export LC_ALL; ${command}`], {
      cwd: folder,
      maxBuffer: 64 * 1024 * 1024,
    })
      .toString()
      .split("\0\n");
  return [
    // A folder's own size and time belong to its filesystem.
    ...shell(String.raw`find . -type d -printf '%p %y %m %U %G\0\n' | sort -z`),
    ...shell(String.raw`find . ! -type d -printf '%p %y %m %U %G %s %T@ %l %n\0\n' | sort -z`),
    ...shell("find . -type f -print0 | sort -z | xargs -0 sha256sum"),
    ...shell("getfattr --recursive --no-dereference --dump --match=- --encoding=hex . | sort"),
    ...shell(String.raw`stat --printf='%t:%T\0\n' device; test hard-link -ef etc/deep/random && echo linked`),
  ];
}
