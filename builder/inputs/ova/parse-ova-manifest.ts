import { userError } from "../../../format/errors.ts";

export type OvaAlgorithm = "sha1" | "sha256" | "sha512";

/** Lines `SHA256(NAME)= HEX` of an OVA's manifest. Pure. */
export function parseOvaManifest(text: string): Map<string, { algorithm: OvaAlgorithm; digest: string }> {
  const found = new Map<string, { algorithm: OvaAlgorithm; digest: string }>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [, algorithm, name, digest] =
      /^(SHA1|SHA256|SHA512)\s*\((.+)\)\s*=\s*([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
    const known = algorithm?.toLowerCase() as OvaAlgorithm | undefined;
    if (known === undefined || digest!.length !== { sha1: 40, sha256: 64, sha512: 128 }[known])
      throw userError({
        code: "ova-manifest-wrong",
        message: `line ${index + 1} of the OVA's manifest is no checksum: ${JSON.stringify(line.slice(0, 100))}`,
        hint: "Export the machine again; checksums are SHA-1, SHA-256 or SHA-512.",
      });
    found.set(name!, { algorithm: known, digest: digest!.toLowerCase() });
  }
  return found;
}
