import type { Problem } from "../../../format/errors.ts";
import { administratorGroups } from "../accounts/select-accounts.ts";

/** `SUBJECT ALL=(ALL) [NOPASSWD:] ALL`: the one shape that means the same everywhere. */
const plainRule =
  /^(%?[A-Za-z_][A-Za-z0-9_.-]{0,31})\s+ALL\s*=\s*(?:\(\s*(ALL|root)(?:\s*:\s*ALL)?\s*\)\s*)?(NOPASSWD\s*:\s*)?ALL$/;
const stock = /^(root\s|%(wheel|sudo|admin)\s+ALL\s*=\s*\(ALL(\s*:\s*ALL)?\)\s*ALL$|[#@]include(dir)?\s)/;

const setting = /^(Defaults\b|(User|Runas|Host|Cmnd|Cmd)_Alias\s)/;
/** Flags and lists that Debian's, CentOS' and Ubuntu's own /etc/sudoers sets. */
const stockFlag =
  /^!?(env_reset|mail_badpass|use_pty|visiblepw|always_set_home|match_group_by_gid|always_query_group_plugin|requiretty)$/;
const stockVariable =
  /^(COLORS|DISPLAY|HOSTNAME|HISTSIZE|INPUTRC|KDEDIR|LS_COLORS|MAIL|PS1|PS2|QTDIR|USERNAME|LANG|LANGUAGE|LINGUAS|LC_[A-Z]+|_XKB_CHARSET|XAUTHORITY)$/;
const stockFolder = /^(\/usr(\/local)?\/s?bin|\/s?bin|(\/var\/lib\/snapd)?\/snap\/bin)$/;

/** A `Defaults` line as distributions have it; anything else was somebody's decision. */
function isStockDefaults(line: string): boolean {
  const text = /^Defaults\s+(.*)$/.exec(line)?.[1]?.trim() ?? "";
  const [, name, value = ""] = /^(env_keep|secure_path)\s*\+?=\s*"?([^"]*)"?$/.exec(text) ?? [];
  if (name === "env_keep") return value.split(/\s+/).every((word) => stockVariable.test(word));
  if (name === "secure_path") return value.split(":").every((folder) => stockFolder.test(folder));
  return text.split(/\s*,\s*/).every((flag) => stockFlag.test(flag));
}

/** Rules a person added to /etc/sudoers itself, which stays the release's file; sudoers.d is carried as it is. */
export function parseSudoRules(text: string): { rules: string[]; problems: Problem[] } {
  const rules: string[] = [];
  const problems: Problem[] = [];
  for (const raw of text.replaceAll(/\\\r?\n/g, " ").split(/\r?\n/)) {
    const line = raw.trim();
    if (line === "" || stock.test(line) || line.startsWith("#")) continue;
    if (setting.test(line)) {
      if (!isStockDefaults(line) && problems.length < 50) problems.push(settingNotCarried(line));
      continue;
    }
    const [, subject, runAs = "ALL", noPassword] = plainRule.exec(line) ?? [];
    if (subject !== undefined)
      rules.push(`${subject} ALL=(${runAs}) ${noPassword === undefined ? "" : "NOPASSWD: "}ALL`);
    else if (problems.length < 50) {
      problems.push({
        code: "sudo-rule-not-carried",
        message: `the rule ${JSON.stringify(line.slice(0, 200))} of /etc/sudoers is not carried`,
        hint: "Move it to a file in /etc/sudoers.d, which is carried, and check again.",
        where: "/etc/sudoers",
      });
    }
  }
  return { rules: [...new Set(rules)], problems };
}

function settingNotCarried(line: string): Problem {
  return {
    code: "sudo-setting-not-carried",
    message: `the setting ${JSON.stringify(line.slice(0, 200))} of /etc/sudoers is not carried`,
    hint: "Move it to a file in /etc/sudoers.d, which is carried, with the rules that need it.",
    where: "/etc/sudoers",
  };
}

/** The rules for the target; those of the administrators' group name the target's. */
export function renderSudoRules(rules: readonly string[], administrators: string | undefined): string {
  const lines = rules.map((rule) => {
    const subject = rule.split(" ")[0] ?? "";
    const isAdministrators = administratorGroups.some((group) => subject === `%${group}`);
    return isAdministrators && administrators !== undefined
      ? `%${administrators}${rule.slice(subject.length)}`
      : rule;
  });
  return `# Written by dualroot: rules of the old system's /etc/sudoers\n${lines.join("\n")}\n`;
}
