import { writeFileSync } from "node:fs";

/** /init removes it and looks whether it comes back; without it for too long the watchdog resets the machine. */
const signOfLife = "/run/dualroot/alive";
const intervalMs = 5000;

/** Shows /init that this program's event loop turns, for as long as the program runs. */
export function startHeartbeat(): void {
  const beat = (): void => {
    try {
      writeFileSync(signOfLife, "");
    } catch {
      // Memory is full, or /run is gone: then /init judges.
    }
  };
  beat();
  setInterval(beat, intervalMs).unref();
}
