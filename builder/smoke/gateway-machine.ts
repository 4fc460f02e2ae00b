import { join } from "node:path";
import { packageFiles } from "../../format/manifest.ts";
import type { Reporter } from "../../format/events.ts";
import { chooseAccelerator, type Accelerator } from "../vm/accelerator.ts";
import { launch, type RunningMachine } from "../vm/launch.ts";
import type { SmokeOptions } from "./options.ts";

export interface GatewayMachine {
  machine: RunningMachine;
  accelerator: Accelerator;
}

/** The gateway as it would stand at the customer's: its disk, the package on a second one, one network card, BIOS. */
export async function startGateway(
  options: SmokeOptions,
  disks: { overlay: string; media: string },
  report: Reporter,
  cpus = 1,
): Promise<GatewayMachine> {
  const accelerator = await chooseAccelerator(join(options.packageFolder, packageFiles.kernel));
  report({
    kind: "note",
    level: "info",
    message: accelerator === "kvm" ? "QEMU runs on KVM" : "QEMU runs without KVM (TCG): slower",
  });
  const machine = await launch(
    {
      name: "gateway",
      machine: "q35",
      memoryBytes: options.memoryBytes,
      cpus,
      ...(options.processor === "plain" ? { processor: "plain" as const } : {}),
      drives: [
        { file: disks.overlay, format: "qcow2", readOnly: false, serial: "gateway", disposable: true },
        { file: disks.media, format: "raw", readOnly: true, serial: "dualroot-media", disposable: true },
      ],
      nics: [{ macAddress: options.macAddress, forwards: [] }],
      display: "vga",
      onReset: "restart",
    },
    {
      accelerator,
      consoleLog: join(options.outputFolder, "console.log"),
      onLine: ({ text }) => report({ kind: "detail", message: text }),
    },
  );
  return { machine, accelerator };
}
