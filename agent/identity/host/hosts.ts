import { hasControlCharacter } from "../control-characters.ts";

const stockNames =
  /^(localhost|localhost[46]|localhost\.localdomain|localhost[46]\.localdomain[46]|ip6-[a-z]+)$/;
const stockAddresses = /^(127\.0\.0\.1|::1|ff02::[123]|fe00::0|ff00::0)$/;
const marker = "# From the old system";

/** Lines of /etc/hosts beyond the stock localhost lines, as `ADDRESS NAME…`; a name beside localhost keeps its own line. */
export function parseHosts(text: string): string[] {
  const lines: string[] = [];
  for (const raw of text.split(/\r?\n/)) {
    const [address, ...names] = raw.replace(/#.*/, "").trim().split(/\s+/);
    if (address === undefined || !/^[0-9a-fA-F.:]+(%\w+)?$/.test(address)) continue;
    const own = (
      stockAddresses.test(address) ? names.filter((name) => !stockNames.test(name)) : names
    ).filter(isHostWord);
    if (own.length > 0) lines.push([address, ...own].join(" ").slice(0, 4096));
  }
  return [...new Set(lines)];
}

/** The target's file without the image's own name (Debian's 127.0.1.1 line), and the old lines at its end. */
export function mergeHosts(target: string, old: readonly string[], hostname: string | undefined): string {
  const kept = target
    .split(/\r?\n/)
    .filter((line) => !/^\s*127\.0\.1\.1\s/.test(line) && !line.startsWith(marker))
    .filter((line) => !old.some((other) => parseHosts(line).includes(other)));
  while (kept.at(-1)?.trim() === "") kept.pop();
  if (!kept.some((line) => /^\s*127\.0\.0\.1\s/.test(line)))
    kept.unshift("127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback");
  const names = new Set(
    [...kept, ...old].flatMap((line) => line.replace(/#.*/, "").trim().split(/\s+/).slice(1)),
  );
  // Debian expects the host's name to resolve without a network; sudo waits for it otherwise.
  const self =
    hostname !== undefined && !names.has(hostname)
      ? [`127.0.1.1 ${[hostname, ...shortName(hostname)].join(" ")}`]
      : [];
  const added = [...self, ...old];
  return `${[...kept, ...(added.length > 0 ? [marker, ...added] : [])].join("\n")}\n`;
}

function shortName(hostname: string): string[] {
  const short = hostname.split(".")[0] ?? hostname;
  return short === hostname ? [] : [short];
}

function isHostWord(name: string): boolean {
  return /^[^\s#]{1,253}$/.test(name) && !hasControlCharacter(name);
}
