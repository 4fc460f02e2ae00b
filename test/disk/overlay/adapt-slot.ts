import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { adaptOldSystem } from "../../../agent/old-system/adapt-old-system.ts";
import type { StepContext } from "../../../agent/steps/step-context.ts";
import { createRun } from "../../../agent/system/run.ts";
import { sha256Hex } from "../../../format/digest.ts";
import { exampleManifest } from "../../unit/agent/example.ts";

/** Adapts the system unpacked in /slot as restore-old-system does, in the throw-away system that this process runs in: `adapt-slot.ts KERNEL-RELEASE`. */
const [kernelRelease = ""] = process.argv.slice(2);
const run = createRun((event) => {
  if (event.kind === "detail") process.stdout.write(`${event.message}\n`);
});
const context: Pick<StepContext, "run" | "report" | "manifest" | "identity" | "runtimeFolder" | "stored"> = {
  run,
  report: () => {},
  manifest: exampleManifest(),
  runtimeFolder: "/runtime",
  identity: {
    format: 1,
    hostname: "old",
    hosts: [],
    interfaces: [],
    dns: { servers: [], searchDomains: [] },
    users: [],
    groups: [],
    administrators: [],
    networkSource: "ifcfg",
  },
  stored: (name) => ({
    name,
    path: `/package/${name}`,
    ranges: [{ startBytes: 0, sizeBytes: 4096 }],
    sizeBytes: 11,
    sha256: sha256Hex(readFileSync(`/package/${name}`)),
  }),
};
await stat("/package/vmlinuz-convert");
const notes = await adaptOldSystem(
  {
    kind: "restore-old-system",
    title: "",
    root: "/slot",
    disk: "/dev/converted",
    device: "/dev/mapper/VA-root_b",
    type: "ext4",
    volumeGroup: "VA",
    target: "/",
    osName: "Debian GNU/Linux 12 (bookworm)",
    kernelRelease,
    commandLine: "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet console=ttyS0,115200",
    merged: ["/boot"],
    shared: [{ source: "UUID=b007", mountPoint: "/boot/dualroot", type: "ext4" }],
  },
  context as StepContext,
);
for (const note of notes) process.stdout.write(`NOTE ${note}\n`);
