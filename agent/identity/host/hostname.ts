import type { Problem } from "../../../format/errors.ts";
import { unreadableValue } from "../interface-builder.ts";

/** hostname(5), or the HOSTNAME of /etc/sysconfig/network on older systems. `localhost` is the absence of a name. */
export function readHostname(
  hostnameFile: string | undefined,
  sysconfig: string | undefined,
  problems: Problem[],
): string | undefined {
  const first = (hostnameFile ?? "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .find((line) => line !== "" && !line.startsWith("#"));
  const name = first ?? sysconfig?.trim() ?? "";
  if (name === "" || /^localhost(\.localdomain)?$/.test(name)) return undefined;
  if (/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?$/.test(name)) return name;
  problems.push(
    unreadableValue("host name", name, first === undefined ? "/etc/sysconfig/network" : "/etc/hostname"),
  );
  return undefined;
}
