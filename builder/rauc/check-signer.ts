import { createPrivateKey, X509Certificate } from "node:crypto";
import { readBounded } from "../../agent/system/files.ts";
import type { Run } from "../../agent/system/run.ts";
import { UserError, userError, type Problem } from "../../format/errors.ts";
import type { RaucRelease } from "../release/release.ts";

export type RaucSigner = Required<RaucRelease>["bundle"];

const largestFile = 1024 * 1024;

/** What a bundle would fail for, looked at before minutes go into the package: tools, files, and that key and certificate are a pair. */
export async function checkSigner(rauc: RaucRelease | undefined, run: Run): Promise<RaucSigner> {
  if (!rauc?.bundle)
    throw userError({
      code: "rauc-signer-missing",
      message: "a RAUC bundle must be signed, and the release has no rauc.bundle",
      hint: "Give certificate and key in rauc.bundle of the release file; docs/rauc.md shows how to make them.",
    });
  const problems = [...(await toolProblems(run)), ...(await signerProblems(rauc.bundle))];
  if (problems.length > 0) throw new UserError(problems);
  return rauc.bundle;
}

async function toolProblems(run: Run): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [tool, debian] of [
    ["rauc", "rauc"],
    ["mksquashfs", "squashfs-tools"],
  ] as const) {
    const { exitCode } = await run("sh", ["-c", 'command -v "$1"', "sh", tool], {
      acceptExitCodes: [1, 127],
    });
    if (exitCode !== 0)
      problems.push({
        code: "missing-tool",
        message: `${tool} is not installed on this machine, and a RAUC bundle needs it`,
        hint: `Install it (Debian: apt-get install ${debian}), or build without --rauc-bundle.`,
      });
  }
  return problems;
}

async function signerProblems(signer: RaucSigner): Promise<Problem[]> {
  const problems: Problem[] = [];
  const read = async (file: string): Promise<Buffer | undefined> => {
    const bytes = await readBounded(file, largestFile).catch(() => undefined);
    if (!bytes)
      problems.push({
        code: "rauc-signer-invalid",
        message: `${file} cannot be read`,
        hint: "rauc.bundle names PEM files; relative paths start at the folder of the release file.",
        where: file,
      });
    return bytes;
  };
  const certificate = await read(signer.certificateFile);
  for (const file of signer.intermediateFiles) await read(file);
  const key = signer.keyFile.startsWith("pkcs11:") ? undefined : await read(signer.keyFile);
  if (!certificate || !key) return problems;
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return problems;
  } catch {
    // Said below: one of the two is not what its name says.
  }
  problems.push({
    code: "rauc-signer-invalid",
    message: `${signer.keyFile} is not the private key of the certificate ${signer.certificateFile}`,
    hint: "Both are PEM files; the key has no passphrase.",
    where: signer.certificateFile,
  });
  return problems;
}
