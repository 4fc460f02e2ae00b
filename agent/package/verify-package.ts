import { userError, UserError, type Problem } from "../../format/errors.ts";
import { sha256Hex } from "../../format/digest.ts";
import { manifestName, signatureName, type Manifest } from "../../format/manifest.ts";
import { verifyManifest, type TrustedKey } from "../../format/signature.ts";
import { parseManifest, readManifestBytes, readSignature } from "./read-package.ts";
import { verifyFiles, verifySizes } from "./verify-files.ts";

export interface VerifyOptions {
  /** Accept a `dev` key although a `release` key is pinned; a person has to say so. */
  allowDevelopmentKeys?: boolean;
  /** `gateway`: the keys were pinned on this gateway before the package came; what a person says cannot override them. */
  keysAre?: "gateway" | "package";
  /** Bytes of the package's files hashed so far, of all. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** `when-used`: only presence and size here; whoever reads a file measures its digest then. */
  contents?: "now" | "when-used";
  /** SHA-256 of the package's files, by name, where the caller measured them; they need not be in the folder. */
  measured?: ReadonlyMap<string, string>;
}

type KeyOptions = Pick<VerifyOptions, "allowDevelopmentKeys" | "keysAre">;

export interface SignedManifest {
  manifest: Manifest;
  manifestSha256: string;
  key: TrustedKey;
}

/** Of which every file has been verified, too, or will be when it is read. */
export type VerifiedPackage = SignedManifest;

/**
 * Signature first, over the bytes as they are; only then are they parsed; then presence, size and digest of every file.
 * Reads only. Throws a UserError that names every file that is wrong.
 */
export async function verifyPackage(
  folder: string,
  keys: readonly TrustedKey[],
  options: VerifyOptions = {},
): Promise<VerifiedPackage> {
  const signed = await verifySignedManifest(folder, keys, options);
  const { files } = signed.manifest;
  const problems =
    options.contents === "when-used"
      ? await verifySizes(folder, files)
      : await verifyFiles(folder, files, options.onProgress, options.measured);
  if (problems.length > 0) throw new UserError(problems, "untrusted");
  return signed;
}

/** The signature and the manifest alone; no file the manifest lists is looked at. */
export async function verifySignedManifest(
  folder: string,
  keys: readonly TrustedKey[],
  options: KeyOptions = {},
): Promise<SignedManifest> {
  const manifestBytes = await readManifestBytes(folder);
  const key = await verifySignature(folder, manifestBytes, keys, options);
  return { manifest: parseManifest(manifestBytes), manifestSha256: sha256Hex(manifestBytes), key };
}

async function verifySignature(
  folder: string,
  manifestBytes: Uint8Array,
  keys: readonly TrustedKey[],
  { allowDevelopmentKeys = false, keysAre = "package" }: KeyOptions,
): Promise<TrustedKey> {
  const signature = await readSignature(folder);
  if (!signature) {
    throw untrusted({
      code: "signature-missing",
      message: `The package is not signed: ${signatureName} is missing.`,
      hint: "Copy the whole folder, the signature included.",
    });
  }
  const verdict = verifyManifest(manifestBytes, signature, keys);
  if (!verdict.trusted) {
    const pinned = keys.map((key) => key.keyId).join(", ") || "none";
    throw untrusted(
      verdict.reason === "unknown-key"
        ? {
            code: "key-unknown",
            message: `The package is signed with key ${signature.keyId}; this gateway trusts ${pinned}.`,
            hint: "Use a package from your own supplier.",
          }
        : {
            code: "signature-invalid",
            message: `${signatureName} does not fit ${manifestName}: one of them was changed, or is another package's.`,
            hint: "Fetch the package again. If it stays like this, do not use it.",
          },
    );
  }
  const hasReleaseKey = keys.some((key) => key.role === "release");
  const isOverridden = allowDevelopmentKeys && keysAre === "package";
  if (verdict.key.role === "dev" && hasReleaseKey && !isOverridden) {
    throw untrusted({
      code: "key-development",
      message: `The package is signed with development key ${verdict.key.keyId}; this gateway takes releases only.`,
      hint:
        keysAre === "gateway"
          ? "Use a released package. Only this gateway's own list of keys, /etc/dualroot/keys.json, decides that."
          : "Use a released package, or say --allow-development-key on a test gateway.",
    });
  }
  return verdict.key;
}

function untrusted(problem: Problem): UserError {
  return userError(problem, "untrusted");
}
