import type { Survey } from "../survey.ts";

/** Which release this is and who vouches for it. */
export function describePackage({
  release,
  manifest,
  key,
  keyRing,
}: Pick<Survey, "release" | "manifest" | "key" | "keyRing">): string[] {
  const origin =
    keyRing.source === "gateway"
      ? "trusted by this gateway's own list"
      : "trusted by the list in the package itself: compare it with the one your supplier published";
  return [
    `Package   ${release} for ${manifest.compatible}, ${manifest.target.osName}`,
    `Signed    ${key.role} key ${key.keyId}, ${origin}`,
  ];
}
