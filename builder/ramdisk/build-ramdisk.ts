import { statSync } from "node:fs";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { reportStep, type Reporter } from "../../format/events.ts";
import type { TrustedKeys } from "../../format/signature.ts";
import { allEnded } from "../system/all-ended.ts";
import { agentEntry, bundleAgent } from "./bundle-agent.ts";
import { agentEntries, kernelEntries, nodeEntries, toolEntries } from "./contents.ts";
import { driversOf, type DriverProfile } from "./drivers.ts";
import { FileDigests } from "./file-digests.ts";
import { moduleClosure } from "./kernel-modules.ts";
import { unpackedSize, type Compression, type Segment } from "./segment.ts";
import { ramdiskNode } from "./ramdisk-node.ts";
import { writeImage } from "./write-image.ts";

export interface RamdiskInputs {
  kernel: {
    /** vmlinuz. */
    image: string;
    /** `…/lib/modules/VERSION`; firmware is looked for in `…/lib/firmware`. */
    modulesFolder: string;
    version: string;
    /** The root filesystem they are in, where links of theirs lead to; absent: this host's. */
    root?: string;
  };
  keys: TrustedKeys;
  /** Laid at /usr/lib/dualroot/grub. */
  bootFiles: string;
  /** `none` only for images that never leave the build host: stage 1 wants one of the others. */
  compression: Compression;
  /** Seconds; modification time of what changes with the release. */
  sourceDateEpoch: number;
  /** Compressed segments and stripped programs, found again by their content. */
  cacheFolder: string;
  profile?: DriverProfile;
  /** Another main program than the agent's, for tests. */
  agentEntry?: string;
}

export interface RamdiskFacts {
  /** The parts stage 1 unpacks; see docs/conventions.md. */
  runtimeSegments: { offset: number; bytes: number }[];
  runtimeCompression: Compression;
  kernelVersion: string;
  /** Sorted; built in or as modules, `_` for `-`. */
  drivers: string[];
  missingDrivers: string[];
  missingFirmware: string[];
  /** Sum of all files, which is about the memory they take in the ramdisk. */
  unpackedBytes: number;
  sizeBytes: number;
}

/** Writes the ramdisk image: cpio archives made from lists, without a staging folder. Same inputs, same bytes. */
export async function buildRamdisk(
  inputs: RamdiskInputs,
  output: string,
  report: Reporter,
): Promise<RamdiskFacts> {
  return await reportStep(report, { step: "ramdisk", title: "Build the ramdisk" }, async () => {
    const run = createRun(report);
    const digests = new FileDigests(join(inputs.cacheFolder, "digests.json"));
    const [agent, closure, node] = await allEnded([
      bundleAgent(inputs.agentEntry ?? agentEntry),
      moduleClosure(
        inputs.kernel.modulesFolder,
        driversOf(inputs.profile ?? "all"),
        { run, cacheFolder: inputs.cacheFolder },
        inputs.kernel.root,
      ),
      ramdiskNode(inputs.cacheFolder, digests, run, report),
    ]);
    const kernel = kernelEntries(inputs.kernel, closure);
    noteMissing(report, "The kernel has no driver", closure.missing);
    noteMissing(report, "Not beside the kernel's modules: firmware", kernel.missingFirmware);
    const runtime: Segment[] = [
      { name: "node", entries: nodeEntries(node), modifiedAt: 0 },
      { name: "tools", entries: await toolEntries([node], run), modifiedAt: 0 },
      {
        name: "agent",
        entries: agentEntries(agent, inputs.keys, inputs.bootFiles),
        modifiedAt: inputs.sourceDateEpoch,
      },
    ];
    const segments: Segment[] = [...runtime, { name: "kernel", entries: kernel.entries, modifiedAt: 0 }];
    const context = { ...inputs, digests, run };
    const placed = await writeImage(segments, context, output);
    await digests.save();
    return {
      runtimeSegments: placed.slice(0, runtime.length),
      runtimeCompression: inputs.compression,
      kernelVersion: inputs.kernel.version,
      drivers: [...new Set([...closure.builtIn, ...closure.modules.map((module) => module.name)])].toSorted(),
      missingDrivers: closure.missing,
      missingFirmware: kernel.missingFirmware,
      unpackedBytes: segments.reduce((sum, segment) => sum + unpackedSize(segment), 0),
      sizeBytes: statSync(output).size,
    };
  });
}

function noteMissing(report: Reporter, what: string, names: readonly string[]): void {
  if (names.length > 0) report({ kind: "note", level: "info", message: `${what}: ${names.join(", ")}` });
}
