import { setTimeout as sleep } from "node:timers/promises";

const intervalMs = 100;

/** Asks until the answer is yes or the time is over; says which. Devices appear when they like, with no event for us. */
export async function waitUntil(seconds: number, ask: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    if (await ask()) return true;
    if (performance.now() > end) return false;
    await sleep(intervalMs);
  }
}
