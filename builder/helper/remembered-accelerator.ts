import { readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chooseAccelerator, type Accelerator } from "../vm/accelerator.ts";
import { withScratch } from "./helper-cache.ts";
import { stampOf } from "./input-stamps.ts";

/** The verdict on KVM, which takes seconds where KVM does not work: remembered until the next boot of this host. */
export async function rememberedAccelerator(kernel: string, cacheFolder: string): Promise<Accelerator> {
  if (process.env["DUALROOT_ACCELERATOR"] !== undefined) return await chooseAccelerator(kernel);
  const file = join(cacheFolder, "accelerator");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const question = `${boot} ${stampOf("/dev/kvm").split(" ").slice(0, 2).join(" ")} ${process.getuid?.() ?? ""}`;
  const [answer, known] = read(file).split("\n");
  if (known === question && (answer === "kvm" || answer === "tcg")) return answer;
  const verdict = await chooseAccelerator(kernel);
  await mkdir(cacheFolder, { recursive: true });
  await withScratch(file, async (scratch) => {
    await writeFile(scratch, `${verdict}\n${question}\n`);
    await rename(scratch, file);
  });
  return verdict;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
