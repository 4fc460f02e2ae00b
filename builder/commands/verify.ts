import { verifyPackage } from "../../agent/package/verify-package.ts";
import { readTrustedKeyFiles } from "../package/read-keys.ts";
import { printResult } from "../render/print.ts";

export async function verifyCommand(
  folder: string,
  options: { key: string[]; allowDevelopmentKey?: true; json?: true },
): Promise<void> {
  const keys = await readTrustedKeyFiles(options.key);
  const { manifest, manifestSha256, key } = await verifyPackage(folder, keys, {
    allowDevelopmentKeys: options.allowDevelopmentKey ?? false,
  });
  printResult(
    options.json,
    {
      ok: true,
      name: manifest.name,
      version: manifest.version,
      manifestSha256,
      key: { keyId: key.keyId, role: key.role },
    },
    () => [
      `${folder}: ${manifest.name} ${manifest.version} is signed by ${key.keyId} (${key.role}), and all ${manifest.files.length} files are what was signed.`,
    ],
  );
}
