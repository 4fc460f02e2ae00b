import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readPackage } from "../../agent/package/read-package.ts";
import { writeFileDurably } from "../../agent/system/files.ts";
import { encodePermit, permitName, permitSignatureName, signPermit } from "../../format/permit.ts";
import { readSigningKey } from "./read-keys.ts";

export interface WrittenPermit {
  permitFile: string;
  signatureFile: string;
  release: string;
  manifestSha256: string;
  keyId: string;
}

/** Leave for the package in `packageFolder`, written into `outputFolder`. The same inputs give the same bytes. */
export async function writePermit(
  packageFolder: string,
  keyFile: string,
  outputFolder: string,
): Promise<WrittenPermit> {
  const { privateKey, keyId } = await readSigningKey(keyFile);
  const { manifest, manifestSha256 } = await readPackage(packageFolder);
  const release = `${manifest.name} ${manifest.version}`;
  const bytes = encodePermit({ format: 1, manifestSha256, release });
  const [permitFile, signatureFile] = [
    join(outputFolder, permitName),
    join(outputFolder, permitSignatureName),
  ];
  await mkdir(outputFolder, { recursive: true });
  await writeFileDurably(permitFile, bytes);
  await writeFileDurably(signatureFile, `${JSON.stringify(signPermit(bytes, privateKey), null, 2)}\n`);
  return { permitFile, signatureFile, release, manifestSha256, keyId };
}
