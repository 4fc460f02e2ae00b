import { userError } from "../../../format/errors.ts";
import type { GroupEntry, PasswdEntry } from "./account-tables.ts";

/** Days since 1970 and ages as useradd leaves them: the password never has to be changed. */
const noShadow = ["!", "", "0", "99999", "7", "", "", ""];

export function renderPasswd(text: string, users: readonly PasswdEntry[]): string {
  return replaceRecords(
    text,
    new Map(
      users.map((user) => [
        user.name,
        [user.name, "x", String(user.uid), String(user.gid), user.comment, user.home, user.shell],
      ]),
    ),
  );
}

/** Old hashes and ages; a person without a shadow line is locked. Root keeps the target's line when the old one is unknown. */
export function renderShadow(
  text: string,
  hashes: ReadonlyMap<string, readonly string[]>,
  people: readonly string[],
  present: ReadonlyMap<string, readonly string[]>,
): string {
  const records = new Map([...hashes].map(([name, fields]) => [name, [name, ...fields]]));
  for (const name of people)
    if (!records.has(name) && !present.has(name)) records.set(name, [name, ...noShadow]);
  return replaceRecords(text, records);
}

export function renderGroup(text: string, groups: readonly GroupEntry[]): string {
  const present = memberLists(text);
  return replaceRecords(
    text,
    new Map(
      groups.map((group) => [
        group.name,
        [group.name, "x", String(group.gid), union(present.get(group.name), group.members)],
      ]),
    ),
  );
}

export function renderGshadow(text: string, groups: readonly GroupEntry[]): string {
  const lines = new Map(cleanLines(text).map((line) => [line.split(":")[0] ?? "", line.split(":")]));
  return replaceRecords(
    text,
    new Map(
      groups.map((group) => {
        const [, password = "!", administrators = ""] = lines.get(group.name) ?? [];
        return [
          group.name,
          [
            group.name,
            password,
            administrators,
            union(lines.get(group.name)?.[3]?.split(","), group.members),
          ],
        ];
      }),
    ),
  );
}

/** Known names are replaced where they stand, new ones added at the end, before NIS lines (`+`), which must be last. */
function replaceRecords(text: string, records: ReadonlyMap<string, readonly string[]>): string {
  const line = (fields: readonly string[]): string => {
    if (fields.some((field) => /[:\n\r]/.test(field))) throw unsafe(fields[0] ?? "");
    return fields.join(":");
  };
  const done = new Set<string>();
  const lines = cleanLines(text).map((old) => {
    const name = old.split(":")[0] ?? "";
    const record = records.get(name);
    if (record === undefined || done.has(name)) return old;
    done.add(name);
    return line(record);
  });
  const added = [...records].filter(([name]) => !done.has(name)).map(([, fields]) => line(fields));
  const nis = lines.findIndex((old) => /^[+-]/.test(old));
  lines.splice(nis === -1 ? lines.length : nis, 0, ...added);
  return `${lines.join("\n")}\n`;
}

function memberLists(text: string): Map<string, string[]> {
  return new Map(
    cleanLines(text).map((line) => [line.split(":")[0] ?? "", (line.split(":")[3] ?? "").split(",")]),
  );
}

function cleanLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function union(present: readonly string[] | undefined, added: readonly string[]): string {
  return [...new Set([...(present ?? []), ...added])].filter(Boolean).join(",");
}

function unsafe(name: string): Error {
  return userError({
    code: "identity-value-unsafe",
    message: `a field of account ${JSON.stringify(name)} holds a colon or a line break and cannot be written`,
    hint: "Run the conversion again from stage 1, which reads the accounts anew.",
  });
}
