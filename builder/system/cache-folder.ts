import { homedir } from "node:os";
import { join } from "node:path";

/** Where compressed parts are kept between builds; safe to delete. DUALROOT_CACHE, XDG_CACHE_HOME, ~/.cache. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return (
    environment["DUALROOT_CACHE"] ??
    join(environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "dualroot")
  );
}
