import { userError } from "../../format/errors.ts";

/**
 * Seconds that all times in the package are bound to: SOURCE_DATE_EPOCH, else the newest modification time among the files
 * of the root filesystem, which is a property of the inputs and not of the build.
 */
export function sourceDateEpoch(
  environment: string | undefined,
  modificationTimes: Iterable<number>,
): number {
  if (environment !== undefined && environment !== "") {
    if (/^\d{1,11}$/.test(environment)) return Number(environment);
    throw userError(
      {
        code: "source-date-epoch-wrong",
        message: `SOURCE_DATE_EPOCH is ${JSON.stringify(environment)}, not a number of seconds`,
        hint: "Unset it, or set it with: date +%s",
      },
      "usage",
    );
  }
  let newest = 0;
  for (const time of modificationTimes) if (time > newest) newest = time;
  return newest;
}
