import { join } from "node:path";
import * as z from "zod";
import { sha256Hex } from "../../format/digest.ts";
import { userError, type UserError } from "../../format/errors.ts";
import {
  manifestMaxBytes,
  manifestName,
  manifestSchema,
  signatureName,
  type Manifest,
} from "../../format/manifest.ts";
import { signatureSchema, type Signature } from "../../format/signature.ts";
import { FileTooLargeError, readBounded } from "../system/files.ts";

/** A signature is under 200 bytes; anything much larger is none. */
const signatureMaxBytes = 4096;

export interface ReadPackage {
  manifest: Manifest;
  /** As they are on disk: these exact bytes are what is signed. */
  manifestBytes: Uint8Array;
  manifestSha256: string;
  /** Not checked here. */
  signature?: Signature;
}

/** What the folder says it is, nothing verified: for `inspect` only. */
export async function readPackage(folder: string): Promise<ReadPackage> {
  const manifestBytes = await readManifestBytes(folder);
  const signature = await readSignature(folder);
  return {
    manifest: parseManifest(manifestBytes),
    manifestBytes,
    manifestSha256: sha256Hex(manifestBytes),
    ...(signature === undefined ? {} : { signature }),
  };
}

export async function readManifestBytes(folder: string): Promise<Uint8Array> {
  let bytes;
  try {
    bytes = await readBounded(join(folder, manifestName), manifestMaxBytes);
  } catch (error) {
    if (!(error instanceof FileTooLargeError)) throw error;
    throw userError(
      {
        code: "manifest-too-large",
        message: `${manifestName} is larger than ${manifestMaxBytes} bytes.`,
        hint: "This is not an upgrade package of ours; fetch the package again.",
        where: join(folder, manifestName),
      },
      "untrusted",
      { cause: error },
    );
  }
  if (bytes) return bytes;
  throw userError({
    code: "manifest-missing",
    message: `${folder} is no upgrade package: it has no ${manifestName}.`,
    hint: "Name the folder that upgrade.sh and manifest.json lie in.",
    where: folder,
  });
}

/** Undefined when there is no signature file. */
export async function readSignature(folder: string): Promise<Signature | undefined> {
  const path = join(folder, signatureName);
  let cause: unknown;
  try {
    const bytes = await readBounded(path, signatureMaxBytes);
    if (bytes === undefined) return undefined;
    return signatureSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (error) {
    if (!(error instanceof FileTooLargeError || error instanceof SyntaxError || error instanceof z.ZodError))
      throw error;
    cause = error;
  }
  throw userError(
    {
      code: "signature-invalid",
      message: `${signatureName} is not a signature.`,
      hint: "Fetch the package again; the file is damaged.",
      where: path,
    },
    "untrusted",
    { cause },
  );
}

/** Any bytes give a manifest or a UserError, nothing else. */
export function parseManifest(bytes: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid("it is not JSON in UTF-8", error);
  }
  const format = z.object({ format: z.int() }).safeParse(value);
  if (format.success && format.data.format !== 1) {
    throw userError(
      {
        code: "manifest-format-unknown",
        message: `The package has manifest format ${format.data.format}; this agent reads format 1.`,
        hint: "Use the dualroot version the package was built for.",
        where: manifestName,
      },
      "untrusted",
    );
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(
      `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "unknown fault"}`,
      parsed.error,
    );
  }
  const names = parsed.data.files.map((file) => file.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw invalid(`files: ${twice} is listed twice`);
  return parsed.data;
}

function invalid(reason: string, cause?: unknown): UserError {
  return userError(
    {
      code: "manifest-invalid",
      message: `${manifestName} is not valid: ${reason}.`,
      hint: "Fetch the package again; if it stays like this, it was built wrongly.",
      where: manifestName,
    },
    "untrusted",
    { cause },
  );
}
