export interface FstabLine {
  /** The line as it stands. */
  text: string;
  source: string;
  mountPoint: string;
  type: string;
  options: string[];
}

/** Lines that mount something; see fstab(5). */
export type Fstab = readonly FstabLine[];

/** One line, or undefined for a comment, an empty line, or nonsense. Fields: source, mount point, type, options. */
export function parseFstabLine(text: string): FstabLine | undefined {
  const [source = "", mountPoint = "", type = "", options = "defaults"] = text.trim().split(/[ \t]+/);
  if (source === "" || source.startsWith("#") || type === "") return undefined;
  return {
    text,
    source: unescape(unquote(source)),
    mountPoint: unescape(mountPoint),
    type,
    options: options.split(","),
  };
}

export function parseFstab(text: string): Fstab {
  return text.split("\n").flatMap((line) => parseFstabLine(line) ?? []);
}

/** `UUID="…"` is allowed, and old installers wrote it. */
function unquote(source: string): string {
  return source.replace(/^([A-Z]+)="(.*)"$/, "$1=$2");
}

/** A space in a path stands as \040. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
