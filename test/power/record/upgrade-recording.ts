import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { bootTiny, powerOff, runIn, waitForGood } from "../../dual/boot-tiny.ts";
import { grubenvPosition } from "../../dual/disk-content.ts";
import { copyImage, ordersDisk, secondRelease, tinyDualDisk } from "../../dual/tiny-dual.ts";
import { cachedFolder } from "../../fixtures/cache.ts";
import { upgradeMarks } from "../log/phases.ts";
import { sectorBytes } from "../log/write-log.ts";
import { withoutOtherSlot } from "../run/judge.ts";
import { recordingFiles, type RecordingDescription } from "./recording.ts";
import { watchConsole } from "./watch-console.ts";

/** Half a gigabyte. Long enough for a sweep over one to end while the code changes. */
const keepHours = 6;

/** Of each wait, on an emulated processor that others use too. */
const limitSeconds = 1500;

/** What the recorded upgrade is started with. */
export const upgradeCommand = "install --yes --allow-development-key --reboot now";

/** Folder with the recording of an online upgrade of the tiny dual system, from `sh upgrade.sh` in slot A to the commit of slot B. */
export async function upgradeRecording(environment = ""): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "dualroot-upgrade-"));
  try {
    const disk = await tinyDualDisk(scratch);
    const orders = await ordersDisk([secondRelease]);
    const inputs = [disk.source, basename(join(orders, "..")), environment, upgradeCommand];
    return await cachedFolder({ name: "power-upgrade", inputs, keepHours }, async (folder) => {
      await recordUpgrade(
        disk.image,
        await copyImage(orders, join(scratch, "orders.img")),
        environment,
        folder,
      );
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function recordUpgrade(
  disk: string,
  orders: string,
  environment: string,
  folder: string,
): Promise<void> {
  const log = join(folder, recordingFiles.log);
  const start = join(folder, recordingFiles.start);
  await copyImage(disk, start);
  await writeFile(log, "");
  const { marks, lines, onLine } = watchConsole(upgradeMarks, log);
  const begin = performance.now();
  const machine = await bootTiny(disk, {
    orders,
    consoleLog: join(folder, recordingFiles.console),
    filter: { kind: "record-writes", log },
    onLine,
  });
  const saysItself = async (): Promise<string> => {
    await runIn(machine, "/usr/lib/tiny/report", 600);
    return lines.findLast((line) => line.startsWith("NEW-SYSTEM slot=")) ?? "";
  };
  try {
    if ((await waitForGood(machine, limitSeconds)) !== "A")
      throw new Error("the upgrade does not begin in slot A");
    const before = await saysItself();
    const command = `${environment} sh /opt/${secondRelease.version}/upgrade.sh ${upgradeCommand}`;
    machine.console.type(`echo "UPGRADE begins"; ${command}; echo "UPGRADE ended with $?"`);
    if ((await waitForGood(machine, limitSeconds)) !== "B")
      throw new Error("the upgrade did not end in slot B");
    const after = await saysItself();
    await powerOff(machine);
    checkUpgrade(before, after);
    const description: RecordingDescription = {
      format: 1,
      title: `sh upgrade.sh ${upgradeCommand}`,
      diskBytes: (await stat(start)).size,
      seconds: Math.round((performance.now() - begin) / 100) / 10,
      reference: { old: withoutOtherSlot(before), converted: after },
      marks,
      grubenv: (await grubenvPosition(start)) / sectorBytes,
    };
    await writeFile(join(folder, recordingFiles.description), `${JSON.stringify(description, null, 2)}\n`);
  } finally {
    await machine.kill();
  }
}

/** All points are compared with the undisturbed upgrade, so it must be right itself. */
function checkUpgrade(before: string, after: string): void {
  const [identityBefore, identityAfter] = [before, after].map((line) => / identity=(\S+)/.exec(line)?.[1]);
  if (identityBefore === undefined || identityBefore !== identityAfter)
    throw new Error(`the identity was ${identityBefore}, it is ${identityAfter}`);
  const files = / files=(\S+)/.exec(before)?.[1];
  if (!after.includes(` slot_a=${files}`))
    throw new Error(`slot A was ${before}, of it slot B says ${after}`);
  if (!after.startsWith("NEW-SYSTEM slot=B committed=yes "))
    throw new Error(`slot B is not committed: ${after}`);
}
