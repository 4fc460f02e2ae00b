import { chmod } from "node:fs/promises";
import type { Identity } from "../../../format/identity.ts";
import { mergeAccounts, type AccountMerge } from "../accounts/merge-accounts.ts";
import type { TargetWriter } from "./target-writer.ts";

/** Homes that say "none". */
const noHome = /^\/(nonexistent|dev\/null|proc|sys|run|)(\/|$)/;

/** Account files in place, home folders as useradd makes them. */
export async function restoreAccounts(target: TargetWriter, identity: Identity): Promise<AccountMerge> {
  // Bytes, not characters: lines that are not ours must come out as they went in, whatever encoding they have.
  const text = async (path: string): Promise<string> => (await target.readText(path, "latin1")) ?? "";
  const gshadow = await target.readText("/etc/gshadow", "latin1");
  const programs = new Set<string>();
  for (const path of wantedPrograms(identity)) {
    const facts = await target.stat(path);
    if (facts?.isFile() === true && (facts.mode & 0o111) !== 0) programs.add(path);
  }
  const merge = mergeAccounts({
    target: {
      passwd: await text("/etc/passwd"),
      shadow: await text("/etc/shadow"),
      group: await text("/etc/group"),
      ...(gshadow === undefined ? {} : { gshadow }),
    },
    identity: { ...identity, users: identity.users.map((user) => asBytes(user)) },
    hasProgram: (path) => programs.has(path),
  });
  await target.write("/etc/passwd", Buffer.from(merge.files.passwd, "latin1"), 0o644);
  await target.write("/etc/group", Buffer.from(merge.files.group, "latin1"), 0o644);
  await target.write("/etc/shadow", Buffer.from(merge.files.shadow, "latin1"), 0o600);
  if (merge.files.gshadow !== undefined)
    await target.write("/etc/gshadow", Buffer.from(merge.files.gshadow, "latin1"), 0o600);
  for (const { home, from, to } of merge.renumbered) await renumberTree(target, home, from, to);
  const users = merge.users.map((user) => ({
    ...user,
    home: Buffer.from(user.home, "latin1").toString("utf8"),
  }));
  for (const user of users)
    if (!noHome.test(user.home)) await makeHome(target, user.home, user.uid, user.gid);
  target.notes.push(...merge.notes, ...(await unknownHashes(target, identity)));
  return { ...merge, users };
}

async function makeHome(target: TargetWriter, home: string, uid: number, gid: number): Promise<void> {
  if ((await target.stat(home)) !== undefined) return;
  const path = await target.makeFolder(home);
  for (const file of await target.list("/etc/skel")) {
    const content = await target.readBytes(`/etc/skel/${file}`, 1024 * 1024);
    if (content === undefined) continue;
    await target.write(`${path}/${file}`, content);
    await target.own(`${path}/${file}`, uid, gid);
  }
  await target.own(path, uid, gid);
  await chmod(target.outside(path), 0o700);
}

async function renumberTree(target: TargetWriter, path: string, from: number, to: number): Promise<void> {
  const facts = await target.lstat(path);
  if (facts === undefined) return;
  if (facts.uid === from) await target.own(path, to, facts.gid === from ? to : facts.gid);
  if (facts.isDirectory())
    for (const name of await target.list(path)) await renumberTree(target, `${path}/${name}`, from, to);
}

/** glibc's own libcrypt knows DES, MD5 and SHA-2; yescrypt, gost, scrypt and bcrypt need libxcrypt. */
async function unknownHashes(target: TargetWriter, identity: Identity): Promise<string[]> {
  const folders = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
  ];
  const libraries = (
    await Promise.all(folders.map((folder) => target.glob(`${folder}/libcrypt*.so*`)))
  ).flat();
  if (libraries.length === 0 || libraries.some((path) => /libcrypt\.so\.[12]\.\d/.test(path))) return [];
  return identity.users
    .filter((user) => /^!?\$(y|gy|7|2[abxy])\$/.test(user.shadow?.[0] ?? ""))
    .map(
      (user) =>
        `The password hash of ${user.name} is of a kind the new system's libcrypt may not know; log in with a key and set it anew.`,
    );
}

function wantedPrograms(identity: Identity): Set<string> {
  const shells = identity.users.map((user) => user.shell).filter((shell) => shell.startsWith("/"));
  return new Set([
    ...shells,
    ...shells.map((shell) => `/usr/bin/${shell.split("/").at(-1)}`),
    "/bin/bash",
    "/bin/sh",
    "/usr/sbin/nologin",
    "/sbin/nologin",
    "/bin/false",
    "/usr/bin/false",
  ]);
}

function asBytes(user: Identity["users"][number]): Identity["users"][number] {
  const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
  return { ...user, comment: bytes(user.comment), home: bytes(user.home), shell: bytes(user.shell) };
}
