import { setFlagsFromString } from "node:v8";

/**
 * Lets the heap grow by so much of what lives in it before garbage is collected; left alone, it may become four times as large.
 * A list of all entries lives through a whole build, while every entry leaves garbage behind: so it is the list that decides how
 * much memory is used. What comes over pipes brings so many buffers that less than 100 % means collecting all the time
 * (measured: 60 s for what takes 8).
 */
export function keepHeapSmall(comesFrom: "file" | "pipe"): void {
  setFlagsFromString(`--heap-growing-percent=${comesFrom === "file" ? 20 : 100}`);
}
