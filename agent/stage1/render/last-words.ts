import type { BootMethod } from "../../checks/boot-method.ts";
import type { Survey } from "../survey.ts";

/** Unpacking and reading back, on a slow disk. */
const bytesPerMinute = 600 * 1024 * 1024;
/** Two boots and the shutdown. */
const bootMinutes = 4;

/** What the operator sees before the session ends. */
export function lastWords(survey: Survey, method: BootMethod, rehearse: boolean): string[] {
  const { facts, manifest, release } = survey;
  const minutes = bootMinutes + Math.ceil(manifest.target.unpackedBytes / bytesPerMinute);
  const addresses = facts.interfaces
    .filter(({ name, up }) => up && name !== "lo")
    .flatMap((link) => link.addresses.map((address) => address.replace(/\/\d+$/, "")))
    .filter((address) => !address.startsWith("fe80:") && !address.startsWith("127."));
  const where = addresses.length > 0 ? addresses.join(", ") : "This gateway";
  return [
    "",
    `Handing over to the ramdisk (${method}). The console shows how it goes.`,
    rehearse
      ? `This is a rehearsal: nothing will be changed, and ${where} answers again in a few minutes.`
      : `${where} answers again in about ${minutes} minutes, as ${release}.`,
    "If the ramdisk refuses or does not start, the next boot is this system again; sh upgrade.sh status then says why.",
  ];
}
