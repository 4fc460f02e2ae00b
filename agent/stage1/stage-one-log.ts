import { mkdir, rename, stat } from "node:fs/promises";
import type { Reporter } from "../../format/events.ts";
import { createLogFile } from "../render/log-file.ts";
import type { Places } from "./places.ts";

/** From this size on a new log is begun; the one before is kept as stage1.log.old. The log file itself bounds one run. */
const startAnewBytes = 1024 * 1024;

/** stage1.log, mode 0600: commands and their output are in it. */
export async function openStageOneLog(places: Places): Promise<Reporter> {
  await mkdir(places.base, { recursive: true, mode: 0o700 });
  const size = await stat(places.log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > startAnewBytes) await rename(places.log, `${places.log}.old`);
  const log = createLogFile(places.log);
  log({ kind: "detail", message: `#### ${new Date().toISOString()} ${process.argv.slice(2).join(" ")}` });
  return log;
}
