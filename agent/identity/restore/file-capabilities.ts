import type { Run } from "../../system/run.ts";

/** File capabilities below a folder, as hexadecimal values by absolute path: the kernel takes them away when an owner changes. */
export async function readFileCapabilities(folder: string, run: Run): Promise<Map<string, string>> {
  const { stdout } = await run("getfattr", [
    "--recursive",
    "--physical",
    "--no-dereference",
    "--absolute-names",
    "--dump",
    "--match=^security\\.capability$",
    "--encoding=hex",
    "--",
    folder,
  ]);
  const capabilities = new Map<string, string>();
  let path: string | undefined;
  for (const line of stdout.split("\n")) {
    const file = /^# file: (.*)$/.exec(line)?.[1];
    if (file !== undefined) path = unescape(file);
    const value = /^security\.capability=(0x[0-9a-f]+)$/i.exec(line)?.[1];
    if (path !== undefined && value !== undefined) capabilities.set(path, value);
  }
  return capabilities;
}

export async function setFileCapabilities(path: string, value: string, run: Run): Promise<void> {
  await run("setfattr", ["--no-dereference", "--name=security.capability", `--value=${value}`, "--", path]);
}

/** getfattr writes line ends and backslashes of names as three octal digits. */
function unescape(name: string): string {
  return name.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
