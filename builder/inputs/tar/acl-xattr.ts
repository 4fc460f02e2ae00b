import { userError } from "../../../format/errors.ts";

const tags: Record<string, { own: number; named?: number }> = {
  user: { own: 1, named: 2 },
  group: { own: 4, named: 8 },
  mask: { own: 16 },
  other: { own: 32 },
};
const permissions: Record<string, number> = { r: 4, w: 2, x: 1, "-": 0 };
const noId = 0xffffffff;

/**
 * An ACL in words (`user::rw-,user:lisa:r--,…`, as GNU tar and star write it) as the value of `system.posix_acl_access` or
 * `_default`, bytes as latin1. Names are those of the root filesystem itself, never of this host.
 */
export function aclXattr(
  text: string,
  path: string,
  ids: { user: ReadonlyMap<string, number>; group: ReadonlyMap<string, number> },
): string {
  const wrong = (part: string) =>
    userError({
      code: "rootfs-acl-unknown",
      message: `the ACL of ${JSON.stringify(path)} has "${part}", which is no user, group or permission of the root filesystem`,
      hint: "Make the archive with --xattrs --xattrs-include='*' instead of --acls, or with --numeric-owner.",
    });
  const entries = text.split(/[,\n]/).filter((part) => part.trim() !== "");
  const parsed = entries.map((part) => {
    // star adds the number behind the permissions.
    const [kind = "", who = "", letters = "", number] = part
      .trim()
      .replace(/\s*#.*$/, "")
      .split(":");
    const tag = tags[kind];
    if (!tag || !/^[rwx-]{1,3}$/.test(letters) || (who !== "" && tag.named === undefined)) throw wrong(part);
    let permission = 0;
    for (const letter of letters) permission |= permissions[letter]!;
    if (who === "") return { tag: tag.own, permission, id: noId };
    const id = /^\d+$/.test(number ?? "")
      ? Number(number)
      : ((kind === "user" ? ids.user : ids.group).get(who) ?? (/^\d+$/.test(who) ? Number(who) : undefined));
    if (id === undefined || id >= noId) throw wrong(part);
    return { tag: tag.named!, permission, id };
  });
  const value = Buffer.alloc(4 + 8 * parsed.length);
  value.writeUInt32LE(2, 0);
  // The kernel wants them in the order of tags, then of numbers.
  for (const [index, entry] of parsed.sort((a, b) => a.tag - b.tag || a.id - b.id).entries()) {
    value.writeUInt16LE(entry.tag, 4 + 8 * index);
    value.writeUInt16LE(entry.permission, 6 + 8 * index);
    value.writeUInt32LE(entry.id, 8 + 8 * index);
  }
  return value.toString("latin1");
}

/** Names and numbers out of passwd or group. */
export function idsOf(table: string): Map<string, number> {
  const ids = new Map<string, number>();
  for (const line of table.split("\n")) {
    const [name, , number] = line.split(":");
    if (name && number && /^\d{1,10}$/.test(number) && !ids.has(name)) ids.set(name, Number(number));
  }
  return ids;
}
