import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readBounded } from "../../agent/system/files.ts";
import { UserError, userError, type Problem } from "../../format/errors.ts";
import { keyIdOf, rawPublicKey, trustedKeySchema, type TrustedKey } from "../../format/signature.ts";

const largestKeyFile = 64 * 1024;

/** Public keys as `dualroot keygen` writes them. All files are tried before any problem is thrown. */
export async function readTrustedKeyFiles(files: readonly string[]): Promise<TrustedKey[]> {
  const problems: Problem[] = [];
  const keys: TrustedKey[] = [];
  for (const file of files) {
    const bytes = await readBounded(file, largestKeyFile).catch(() => undefined);
    const key = bytes && parsedKey(bytes.toString("utf8"));
    if (!key)
      problems.push({
        code: bytes ? "public-key-invalid" : "public-key-missing",
        message: bytes ? `${file} is not a public key of dualroot` : `there is no public key ${file}`,
        hint: "Make a pair with `dualroot keygen DIR --role release`.",
        where: file,
      });
    else if (!keys.some((other) => other.keyId === key.keyId)) keys.push(key);
  }
  if (problems.length > 0) throw new UserError(problems);
  return keys.sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

function parsedKey(text: string): TrustedKey | undefined {
  try {
    const key = trustedKeySchema.parse(JSON.parse(text));
    return keyIdOf(Buffer.from(key.publicKey, "base64")) === key.keyId ? key : undefined;
  } catch {
    return undefined;
  }
}

export interface SigningKey {
  privateKey: KeyObject;
  keyId: string;
}

export async function readSigningKey(file: string): Promise<SigningKey> {
  const pem = await readBounded(file, largestKeyFile).catch(() => undefined);
  if (!pem)
    throw userError({
      code: "signing-key-missing",
      message: `there is no private key ${file}`,
      hint: "Make a pair with `dualroot keygen DIR --role release`.",
      where: file,
    });
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw userError(
      {
        code: "signing-key-invalid",
        message: `${file} is not a private key in PEM`,
        hint: "sign.key is the .key file of `dualroot keygen`, not the .pub file.",
        where: file,
      },
      "badInput",
      { cause },
    );
  }
  if (privateKey.asymmetricKeyType !== "ed25519") {
    throw userError({
      code: "signing-key-invalid",
      message: `${file} is a key of type ${privateKey.asymmetricKeyType}, packages are signed with ed25519`,
      hint: "Make a pair with `dualroot keygen DIR --role release`.",
      where: file,
    });
  }
  return { privateKey, keyId: keyIdOf(rawPublicKey(createPublicKey(privateKey))) };
}
