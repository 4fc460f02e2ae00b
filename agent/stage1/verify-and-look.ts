import { reportStep } from "../../format/events.ts";
import { verifyPackage, type VerifiedPackage, type VerifyOptions } from "../package/verify-package.ts";
import type { StageOneContext } from "./context.ts";
import type { KeyRing } from "./trusted-keys.ts";

/** The package is read and hashed while `look` runs its many small programs: neither needs the other's answer. */
export async function verifyAndLook<T>(
  { args, report }: Pick<StageOneContext, "args" | "report">,
  keyRing: KeyRing,
  look: () => Promise<T>,
  contents: NonNullable<VerifyOptions["contents"]> = "now",
): Promise<{ verified: VerifiedPackage; looked: T }> {
  const step = { step: "survey", title: "Verify the package, look at the gateway" };
  return reportStep(report, step, async () => {
    const [verified, looked] = await Promise.allSettled([
      verifyPackage(args.packageFolder, keyRing.keys, {
        allowDevelopmentKeys: args.allowDevelopmentKey,
        keysAre: keyRing.source,
        contents,
        onProgress: (done, total) =>
          report({ kind: "progress", step: step.step, done, total, unit: "bytes" }),
      }),
      look(),
    ]);
    // What is wrong with the package comes first, whichever ended first.
    if (verified.status === "rejected") throw verified.reason;
    if (looked.status === "rejected") throw looked.reason;
    return { verified: verified.value, looked: looked.value };
  });
}
