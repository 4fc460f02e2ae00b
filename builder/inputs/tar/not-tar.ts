import { userError, type UserError } from "../../../format/errors.ts";

export function notTar(reason: string): UserError {
  return userError({
    code: "rootfs-not-tar",
    message: `the root filesystem archive is damaged or not a tar: ${reason}`,
    hint: "Check it with `tar -tf`, and make it again.",
  });
}
