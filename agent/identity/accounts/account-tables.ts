import type { Problem } from "../../../format/errors.ts";
import { hasControlCharacter } from "../control-characters.ts";

export interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  comment: string;
  home: string;
  shell: string;
}

export interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

const accountName = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/;

/** passwd(5). The first line of a name counts, as for getpwnam; NIS lines (`+`, `-`), comments and blanks are passed over. */
export function parsePasswd(text: string, problems: Problem[]): PasswdEntry[] {
  const entries = new Map<string, PasswdEntry>();
  for (const { fields, line } of records(text)) {
    const [name = "", , uid = "", gid = "", comment = "", home = "", shell = ""] = fields;
    if (
      fields.length !== 7 ||
      !accountName.test(name) ||
      !isId(uid) ||
      !isId(gid) ||
      hasControlCharacter(fields.join(""))
    ) {
      addMalformed(problems, "/etc/passwd", line, name);
    } else if (!entries.has(name)) {
      entries.set(name, { name, uid: Number(uid), gid: Number(gid), comment, home, shell });
    }
  }
  return [...entries.values()];
}

/** group(5). */
export function parseGroup(text: string, problems: Problem[]): GroupEntry[] {
  const entries = new Map<string, GroupEntry>();
  for (const { fields, line } of records(text)) {
    const [name = "", , gid = "", members = ""] = fields;
    if (fields.length !== 4 || !accountName.test(name) || !isId(gid))
      addMalformed(problems, "/etc/group", line, name);
    else if (!entries.has(name)) {
      const names = members.split(",").map((member) => member.trim());
      entries.set(name, {
        name,
        gid: Number(gid),
        members: [...new Set(names.filter((member) => accountName.test(member)))],
      });
    }
  }
  return [...entries.values()];
}

/** shadow(5): name -> the eight fields after it. Messages never show a line: it may hold a hash. */
export function parseShadow(text: string, problems: Problem[]): Map<string, string[]> {
  const entries = new Map<string, string[]>();
  for (const { fields, line } of records(text)) {
    const [name = "", ...rest] = fields;
    if (
      rest.length !== 8 ||
      !accountName.test(name) ||
      hasControlCharacter(rest.join("")) ||
      rest.join(":").length > 4000
    ) {
      addMalformed(problems, "/etc/shadow", line, accountName.test(name) ? name : "");
    } else if (!entries.has(name)) entries.set(name, rest);
  }
  return entries;
}

/** Can somebody log in with it? `*`, `!`, `!!`, `x` and locked hashes cannot; an empty one can. */
export function isUsableHash(hash: string | undefined): boolean {
  return (
    hash !== undefined &&
    (hash === "" || hash.startsWith("$") || /^[A-Za-z0-9./]{13}$/.test(hash) || hash.startsWith("_"))
  );
}

function records(text: string): { fields: string[]; line: number }[] {
  return text.split("\n").flatMap((raw, index) => {
    const line = raw.replace(/\r$/, "");
    return line.trim() === "" || /^[#+-]/.test(line) ? [] : [{ fields: line.split(":"), line: index + 1 }];
  });
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= 4294967294;
}

/** A file that is no account file at all is one finding, not one for each of its lines. */
const maxMalformed = 50;

function addMalformed(problems: Problem[], file: string, line: number, name: string): void {
  if (problems.length >= maxMalformed) return;
  problems.push({
    code: "account-line-malformed",
    message: `${file} line ${line} (${JSON.stringify(name.slice(0, 40))}) is not a valid entry and is not carried`,
    hint: `Correct the line (see pwck and grpck) and check again.`,
    where: `${file}:${line}`,
  });
}
