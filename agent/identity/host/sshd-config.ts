/** What decides who may log in. Only what holds for everybody: lines below a `Match` are left out. */
export interface SshdSettings {
  ports: number[];
  passwordLogin: boolean;
  /** `keys`: root by key only. */
  rootLogin: "yes" | "keys" | "no";
  allowUsers: string[];
  denyUsers: string[];
  allowGroups: string[];
  denyGroups: string[];
}

const mainFile = "/etc/ssh/sshd_config";
const maxLines = 10_000;
const maxPatterns = 200;
const maxPorts = 10;

interface Line {
  keyword: string;
  value: string;
}

/** sshd_config(5): the first value of a keyword counts; ports and lists of names add up. `files` by path, the included ones too. */
export function parseSshdConfig(files: ReadonlyMap<string, string>): SshdSettings {
  const lines = linesOf(files, mainFile, 0);
  const first = (keyword: string): string | undefined =>
    lines.find((line) => line.keyword === keyword)?.value.toLowerCase();
  const words = (keyword: string): string[] =>
    lines
      .filter((line) => line.keyword === keyword)
      .flatMap((line) => line.value.split(/\s+/))
      .filter((word) => word !== "")
      .slice(0, maxPatterns);
  const methods = words("authenticationmethods");
  return {
    ports: portsOf(lines),
    passwordLogin:
      first("passwordauthentication") !== "no" &&
      (methods.length === 0 || methods.some((method) => method === "any" || method === "password")),
    rootLogin: rootLoginOf(first("permitrootlogin") ?? defaultRootLogin(files.get(mainFile) ?? "")),
    allowUsers: words("allowusers"),
    denyUsers: words("denyusers"),
    allowGroups: words("allowgroups"),
    denyGroups: words("denygroups"),
  };
}

/** The order of sshd: first the denied, then the allowed. A host behind `@` is not looked at: denied from one, denied here. */
export function mayLogIn(settings: SshdSettings, user: string, groups: readonly string[]): boolean {
  const matches = (patterns: readonly string[], name: string): boolean =>
    patterns.some((pattern) => matchesPattern(pattern.replace(/(?<=.)@.*$/, ""), name));
  const isIn = (patterns: readonly string[]): boolean => groups.some((group) => matches(patterns, group));
  if (matches(settings.denyUsers, user) || isIn(settings.denyGroups)) return false;
  if (settings.allowUsers.length > 0 && !matches(settings.allowUsers, user)) return false;
  return settings.allowGroups.length === 0 || isIn(settings.allowGroups);
}

/** Lines with included files in their place, up to the file's first Match. */
function linesOf(files: ReadonlyMap<string, string>, path: string, depth: number): Line[] {
  const lines: Line[] = [];
  for (const raw of (files.get(path) ?? "").split(/\r?\n/, maxLines)) {
    const match = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(raw);
    if (!match) continue;
    const line = { keyword: match[1]!.toLowerCase(), value: match[2]!.replaceAll('"', "") };
    if (line.keyword === "match") break;
    if (line.keyword !== "include") lines.push(line);
    else if (depth === 0) {
      for (const pattern of line.value.split(/\s+/)) {
        const absolute = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
        for (const other of [...files.keys()].sort())
          if (other !== mainFile && matchesPattern(absolute, other))
            lines.push(...linesOf(files, other, depth + 1));
      }
    }
  }
  return lines;
}

function portsOf(lines: readonly Line[]): number[] {
  const said = lines.flatMap(({ keyword, value }) => {
    if (keyword === "port") return [value];
    const port = keyword === "listenaddress" ? /^(?:\[[^\]]*\]|[^:\s]+):(\d+)/.exec(value)?.[1] : undefined;
    return port === undefined ? [] : [port];
  });
  const ports = said.map((text) => (/^\d{1,5}$/.test(text) ? Number(text) : 0));
  const valid = [...new Set(ports.filter((port) => port >= 1 && port <= 65_535))].slice(0, maxPorts);
  return valid.length > 0 ? valid : [22];
}

/** OpenSSH's own file shows each default behind a `#`; it was `yes` up to CentOS 7 and is keys only since. */
function defaultRootLogin(text: string): string {
  return /^#\s?PermitRootLogin[ \t]+(\S+)/im.exec(text)?.[1]?.toLowerCase() ?? "prohibit-password";
}

/** A key with a forced command is all that `forced-commands-only` lets in; here there is no such command. */
function rootLoginOf(value: string): SshdSettings["rootLogin"] {
  if (value === "yes") return "yes";
  return value === "prohibit-password" || value === "without-password" ? "keys" : "no";
}

/** `*` and `?`. Not as a regular expression, which takes ages for a pattern of many stars. */
export function matchesPattern(pattern: string, text: string): boolean {
  let [inPattern, inText] = [0, 0];
  let afterStar = -1;
  let starText = 0;
  while (inText < text.length) {
    const wanted = pattern[inPattern];
    if (wanted === "*") {
      inPattern++;
      [afterStar, starText] = [inPattern, inText];
    } else if (wanted === "?" || wanted === text[inText]) {
      inPattern++;
      inText++;
    } else {
      if (afterStar < 0) return false;
      starText++;
      [inPattern, inText] = [afterStar, starText];
    }
  }
  return /^\**$/.test(pattern.slice(inPattern));
}
