import { writePermit } from "../package/write-permit.ts";
import { printResult } from "../render/print.ts";

export async function permitCommand(
  folder: string,
  options: { key: string; output?: string; json?: true },
): Promise<void> {
  const permit = await writePermit(folder, options.key, options.output ?? folder);
  printResult(options.json, { ok: true, ...permit }, () => [
    `${permit.permitFile} and its .sig let gateways that trust ${permit.keyId} take ${permit.release},`,
    `and only this package of it (${permit.manifestSha256.slice(0, 16)}…), though they have had a newer release.`,
  ]);
}
