import { userError } from "../../format/errors.ts";
import type { StageOneContext } from "./context.ts";
import { convert } from "./convert.ts";
import { isDualSystem } from "./dual-system.ts";
import { install } from "./install.ts";

/** One command for a whole fleet: an old gateway is converted, a dual system gets the release into its other slot. */
export async function upgrade(context: StageOneContext): Promise<number> {
  if (await isDualSystem(context.places)) return install(context);
  const { restartAt } = context.args;
  if (restartAt !== undefined && restartAt !== "now")
    throw userError(
      {
        code: "usage",
        message: `This gateway is to be converted, which restarts it at once: --reboot ${restartAt} cannot be kept.`,
        hint: "Say --reboot now when it may restart.",
      },
      "usage",
    );
  return convert(context);
}
