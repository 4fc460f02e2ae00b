import { generateKeyPairSync } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { exists, syncPath } from "../../agent/system/files.ts";
import { userError } from "../../format/errors.ts";
import { keyIdOf, rawPublicKey, type KeyRole, type TrustedKey } from "../../format/signature.ts";

export interface KeyPairFiles {
  privateFile: string;
  publicFile: string;
  key: TrustedKey;
}

/** Ed25519: ROLE.key as PKCS#8 PEM for its owner only, ROLE.pub as JSON (`trustedKeySchema`). Existing files are never touched. */
export async function createKeyPair(folder: string, role: KeyRole): Promise<KeyPairFiles> {
  const [privateFile, publicFile] = [join(folder, `${role}.key`), join(folder, `${role}.pub`)];
  for (const file of [privateFile, publicFile]) {
    if (await exists(file))
      throw userError({
        code: "key-exists",
        message: `${file} exists already`,
        hint: "Keys are never overwritten. Give another folder, or move the old pair away.",
        where: file,
      });
  }
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = rawPublicKey(publicKey);
  const key: TrustedKey = { keyId: keyIdOf(raw), role, publicKey: raw.toString("base64") };
  await mkdir(folder, { recursive: true });
  await createFile(privateFile, privateKey.export({ format: "pem", type: "pkcs8" }).toString(), 0o600);
  await createFile(publicFile, `${JSON.stringify(key, null, 2)}\n`, 0o644);
  await syncPath(folder);
  return { privateFile, publicFile, key };
}

/** `wx`: also when somebody else made the file a moment ago. */
async function createFile(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
