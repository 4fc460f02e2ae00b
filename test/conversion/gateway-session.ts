import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { createMedia, createOverlay } from "../../builder/smoke/disk-copy.ts";
import { startGateway } from "../../builder/smoke/gateway-machine.ts";
import { mountMedia } from "../../builder/smoke/old-system.ts";
import type { RunningMachine } from "../../builder/vm/launch.ts";
import { silent } from "../../format/events.ts";
import { manifestName, packageFiles, signatureName } from "../../format/manifest.ts";
import type { GatewayFixture } from "../fixtures/gateway-disk.ts";
import { rootPassword } from "../fixtures/gateways.ts";
import { smokeOptions } from "./smoke-options.ts";

export interface GatewaySession {
  machine: RunningMachine;
  close: () => Promise<void>;
}

/** A throw-away copy of a gateway with root logged in on the console and the package's disk mounted, for tests that go their own way. */
export async function openGateway(
  name: string,
  gateway: GatewayFixture,
  packageFolder: string,
  /** `others`: more files, at the top of the package's disk. */
  { others = [], cpus = 1 }: { others?: readonly string[]; cpus?: number } = {},
): Promise<GatewaySession> {
  const run = createRun(silent);
  const scratch = await mkdtemp(join(tmpdir(), "dualroot-conversion-"));
  const options = smokeOptions(name, gateway, packageFolder);
  const disks = { overlay: join(scratch, "overlay.qcow2"), media: join(scratch, "media.img") };
  await mkdir(options.outputFolder, { recursive: true });
  const names = [...Object.values(packageFiles), manifestName, signatureName];
  await createOverlay(run, gateway.disk, disks.overlay);
  await createMedia({ run, packageFolder, names, others, scratch, image: disks.media });
  const { machine } = await startGateway(options, disks, silent, cpus);
  const close = async (): Promise<void> => {
    await machine.kill();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await machine.console.logIn("root", rootPassword, 400);
    await mountMedia(machine.console);
  } catch (error) {
    await close();
    throw error;
  }
  return { machine, close };
}
