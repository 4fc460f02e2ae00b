import { readdir, readFile } from "node:fs/promises";
import type { Card } from "./network-commands.ts";

const folder = "/sys/class/net";
const ethernet = "1";

/** Every Ethernet card the ramdisk's kernel drives, by the kernel's own name: there is no udev to give it another. */
export async function readCards(): Promise<Card[]> {
  const cards: Card[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name === "lo" || (await text(`${folder}/${name}/type`)) !== ethernet) continue;
    cards.push({ name, macAddress: await text(`${folder}/${name}/address`) });
  }
  return cards;
}

async function text(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}
