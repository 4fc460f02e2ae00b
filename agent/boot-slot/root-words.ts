import { userError, type UserError } from "../../format/errors.ts";

/** What to mount as the root filesystem, and what to start on it: the words every Linux initramfs knows. */
export interface RootWords {
  /** `/dev/mapper/VA-root_a`, `/dev/vda3`, or a tag such as `UUID=…` that blkid finds. */
  root: { device: string } | { tag: "UUID" | "LABEL" | "PARTUUID" | "PARTLABEL"; value: string };
  /** `rootfstype=`; else what the filesystem says. */
  type?: string;
  /** `rootflags=` behind `ro` or `rw`; read-only when neither is said, as everywhere. */
  options: string;
  /** `init=`; else the usual places are tried. */
  init?: string;
  /** `rootwait` waits for ever, `rootdelay=SECONDS` longer than usual. */
  waitSeconds: number;
  /** `fsck.mode=skip`, or `fastboot`. */
  skipCheck: boolean;
}

/** Slow USB disks and SAS expanders appear within this time. */
const usualWaitSeconds = 60;
const longestWaitSeconds = 24 * 3600;

/** True when the kernel's words ask for a root filesystem. */
export function hasRootWord(commandLine: string): boolean {
  return /(^|\s)root=\S/.test(commandLine);
}

/** Later words win, as for the kernel. */
export function parseRootWords(commandLine: string): RootWords {
  const words = new Map<string, string>();
  let access = "ro";
  for (const word of commandLine.trim().split(/\s+/)) {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    if (equals < 0 && (name === "ro" || name === "rw")) access = name;
    words.set(name, equals < 0 ? "" : unquoted(word.slice(equals + 1)));
  }
  const type = words.get("rootfstype");
  const flags = words.get("rootflags");
  const init = words.get("init");
  const delay = Number(words.get("rootdelay") ?? 0);
  if (type !== undefined && !/^[a-z0-9]{1,32}$/.test(type)) throw invalid(`rootfstype=${type}`);
  if (init !== undefined && !/^\/./.test(init)) throw invalid(`init=${init}`);
  return {
    root: parseRoot(words.get("root")),
    ...(type ? { type } : {}),
    options: flags ? `${access},${flags}` : access,
    ...(init ? { init } : {}),
    waitSeconds: words.has("rootwait")
      ? longestWaitSeconds
      : Math.min(Math.max(usualWaitSeconds, Number.isFinite(delay) ? delay : 0), longestWaitSeconds),
    skipCheck: words.get("fsck.mode") === "skip" || words.has("fastboot"),
  };
}

function parseRoot(text: string | undefined): RootWords["root"] {
  if (text === undefined || text === "") {
    throw userError({
      code: "root-word-missing",
      message: "The kernel command line does not say which root filesystem to boot.",
      hint: "Add root=/dev/mapper/VA-root_a, or another volume, to the line that starts with linux.",
    });
  }
  const [, tag, value] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.+)$/.exec(text) ?? [];
  if (tag !== undefined && value !== undefined)
    return { tag: tag as "UUID" | "LABEL" | "PARTUUID" | "PARTLABEL", value: unquoted(value) };
  if (/^\/dev\/./.test(text) && !text.split("/").includes("..")) return { device: text };
  throw invalid(`root=${text}`);
}

function unquoted(text: string): string {
  return /^"(.*)"$/.exec(text)?.[1] ?? text;
}

function invalid(word: string): UserError {
  return userError({
    code: "root-word-invalid",
    message: `The ramdisk does not understand ${word} on the kernel command line.`,
    hint: "It takes root=/dev/…, root=UUID=…, LABEL=…, PARTUUID=… or PARTLABEL=…, rootfstype=NAME and init=/PATH.",
  });
}

/** `VA-root_a` -> `VA/root_a`; device-mapper doubles the dashes that belong to a name. Undefined for what no volume is called. */
export function logicalVolume(device: string): { group: string; volume: string } | undefined {
  const mapped = /^\/dev\/mapper\/((?:[^-/]|--)+)-((?:[^-/]|--)+)$/.exec(device);
  if (mapped) {
    return { group: mapped[1]!.replaceAll("--", "-"), volume: mapped[2]!.replaceAll("--", "-") };
  }
  const plain = /^\/dev\/([^/]+)\/([^/]+)$/.exec(device);
  if (!plain || notGroups.has(plain[1]!)) return undefined;
  return { group: plain[1]!, volume: plain[2]! };
}

const notGroups: ReadonlySet<string> = new Set(["mapper", "disk", "block", "md"]);
