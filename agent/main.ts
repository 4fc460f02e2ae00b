import { InternalError } from "../format/errors.ts";

/**
 * `stage1`: on the old system, started by upgrade.sh. `ramdisk`: as the ramdisk's main program, mode from the kernel command
 * line. `compare-files`: a thread of the latter.
 */
const entry = process.argv[2];
switch (entry) {
  case "stage1":
    process.exitCode = await (await import("./stage1/main.ts")).stage1(process.argv.slice(3));
    break;
  case "ramdisk":
    process.exitCode = await (await import("./ramdisk/main.ts")).ramdisk();
    break;
  case "compare-files":
    (await import("./steps/compare-files-thread.ts")).compareFilesThread();
    break;
  case undefined:
  default:
    throw new InternalError(`the agent was started with the unknown word "${entry ?? ""}"`);
}
