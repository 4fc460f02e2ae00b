import { join } from "node:path";
import { hasErrorCode } from "../../format/errors.ts";
import {
  permitMaxBytes,
  permitName,
  permitSchema,
  permitSignatureName,
  verifyPermit,
} from "../../format/permit.ts";
import type { TrustedKey } from "../../format/signature.ts";
import { signatureSchema } from "../../format/signature.ts";
import { FileTooLargeError, readBounded } from "../system/files.ts";

/** What lies beside a package as its permit: one whose signature holds, or why it is none. Whether it is needed is not known here. */
export type PermitFacts = { manifestSha256: string; keyId: string } | { fault: string };

const faults = {
  "unknown-key": "it is signed with a key that this gateway does not trust",
  "bad-signature": "its signature does not fit it: one of them was changed, or is another permit's",
  "wrong-role": "it is signed with a development key, and this gateway takes those of releases only",
} as const;

/** undefined where there is none. Any bytes give facts, nothing else; they are parsed after their signature was checked. */
export async function readPermit(
  packageFolder: string,
  keys: readonly TrustedKey[],
): Promise<PermitFacts | undefined> {
  const read = (name: string): Promise<Buffer | undefined> =>
    readBounded(join(packageFolder, name), permitMaxBytes);
  try {
    const permitBytes = await read(permitName);
    if (permitBytes === undefined) return undefined;
    const signatureBytes = await read(permitSignatureName);
    if (signatureBytes === undefined) return { fault: `it is not signed: ${permitSignatureName} is missing` };
    const signature = signatureSchema.safeParse(parseJson(signatureBytes));
    if (!signature.success) return { fault: `${permitSignatureName} is not a signature` };
    const verdict = verifyPermit(permitBytes, signature.data, keys);
    if (!verdict.trusted) return { fault: faults[verdict.reason] };
    const permit = permitSchema.safeParse(parseJson(permitBytes));
    if (!permit.success) return { fault: "it is signed, but no permit that this agent can read" };
    return { manifestSha256: permit.data.manifestSha256, keyId: verdict.key.keyId };
  } catch (error) {
    if (error instanceof FileTooLargeError) return { fault: `it is larger than ${permitMaxBytes} bytes` };
    if (hasErrorCode(error, "EISDIR")) return { fault: "what has its name is no file" };
    throw error;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
