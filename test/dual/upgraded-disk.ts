import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { cachedFolder } from "../fixtures/cache.ts";
import { bootTiny, powerOff, runIn, waitForGood } from "./boot-tiny.ts";
import { copyImage, ordersDisk, secondRelease, tinyDualDisk } from "./tiny-dual.ts";
import { installWords } from "./upgrade-tiny.ts";

/** A new image in `folder`: slot A ran, `sh upgrade.sh install` has put the second release into slot B, and it was switched off before it restarted. */
export async function upgradedDisk(folder: string): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "dualroot-upgraded-"));
  try {
    const { image, source } = await tinyDualDisk(scratch);
    const orders = await ordersDisk([secondRelease]);
    const inputs = [source, basename(join(orders, ".."))];
    const cached = await cachedFolder({ name: "tiny-upgraded", inputs }, async (made) => {
      const machine = await bootTiny(image, {
        orders: await copyImage(orders, join(scratch, "orders.img")),
        consoleLog: join(made, "console.log"),
      });
      try {
        await waitForGood(machine);
        await runIn(machine, `sh /opt/${secondRelease.version}/upgrade.sh ${installWords}`, 1500);
        await powerOff(machine);
      } finally {
        await machine.kill();
      }
      await copyImage(image, join(made, "disk.img"));
    });
    return await copyImage(join(cached, "disk.img"), join(folder, "upgraded.img"));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
