import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseManifest, readManifestBytes } from "../../agent/package/read-package.ts";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../builder/vm/launch.ts";
import { GiB, KiB, MiB } from "../../format/sizes.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { diskSerial, makeStashDisk, type StashDisk } from "../fixtures/stash-disk.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";

const peerScript = new URL("stage2-peer.sh", import.meta.url);
const limitSeconds = 1200;
const prompt = /# (?:\u001b\[6n)?$/m;

interface Measured {
  wholeSeconds: number;
  extractSeconds: number;
  peakBytes: number;
}

/**
 * Stage 2 on the tests' package against a shell script that does the same work with the same tools of the same ramdisk: in
 * turn, in the same machine with two processors, from a shell prompt, before any driver is loaded, to the disk being done. Both
 * verify the package and read everything back.
 */
export async function benchStage2(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-bench-"));
  try {
    const packageFolder = join(folder, "package");
    await cp(await buildFixturePackage(), packageFolder, { recursive: true });
    const { files } = parseManifest(await readManifestBytes(packageFolder));
    const sums = files.map((file) => `${file.sha256}  ${file.name}\n`).join("");
    const disk = await makeStashDisk(folder, packageFolder, {
      diskBytes: 10 * GiB,
      role: "release",
      files: {
        "var/lib/dualroot/stash/package/SHA256SUMS": sums,
        "peer.sh": await readFile(peerScript, "utf8"),
      },
    });
    const pristine = join(folder, "pristine.img");
    await cp(disk.disk, pristine);
    const peer = await measurePeer(disk);
    await cp(pristine, disk.disk);
    const ours = await measureOurs(disk);
    return [
      benchRow(
        "stage 2: decode and extract, against tar -xJf",
        ours.extractSeconds,
        peer.extractSeconds,
        0.7,
        "s",
      ),
      benchRow("stage 2: whole, against a shell script", ours.wholeSeconds, peer.wholeSeconds, 0.8, "s"),
      benchRow(
        "stage 2: memory peak, against a shell script",
        ours.peakBytes / MiB,
        peer.peakBytes / MiB,
        0.5,
        "MiB",
      ),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measurePeer(disk: StashDisk): Promise<Measured> {
  return withShell(disk, async (machine) => {
    const { console } = machine;
    // The clock starts as the agent's does: before the first driver is there.
    const load = "modprobe -a -q crc32c_generic virtio_pci virtio_blk dm_mod ext4";
    const wait = "until [ -b /dev/vda1 ]; do sleep 0.1; done";
    const fetch =
      "mkdir -p /mnt; mount -t ext4 -o ro,noload /dev/vda1 /mnt; cp /mnt/peer.sh /run/; umount /mnt";
    console.type(`echo "peer: ""begin"; ${load}; ${wait}; ${fetch}; sh /run/peer.sh || echo peer: ""failed`);
    const done = await console.waitFor(/peer: (?:done, peak (\d+) KiB|failed)\r?\n/, limitSeconds);
    if (done[1] === undefined) throw new Error(`the peer's script failed:\n${console.tail()}`);
    return {
      wholeSeconds: secondsBetween(machine, /^peer: begin/, /^peer: done/),
      extractSeconds: secondsBetween(machine, /^peer: extract begin/, /^peer: extract end/),
      peakBytes: Number(done[1]) * KiB,
    };
  });
}

async function measureOurs(disk: StashDisk): Promise<Measured> {
  return withShell(disk, async (machine) => {
    machine.console.type('echo "agent: ""begin"; exit');
    const memory = await machine.console.waitFor(/Memory: at most (\d+) of \d+ MiB/, limitSeconds);
    await machine.ended(60);
    return {
      wholeSeconds: secondsBetween(machine, /^agent: begin/, /^dualroot: converted/),
      extractSeconds: secondsBetween(machine, /Unpack the new system$/, /Unpack the new system +done/),
      peakBytes: Number(memory[1]) * MiB,
    };
  });
}

async function withShell(
  disk: StashDisk,
  work: (machine: RunningMachine) => Promise<Measured>,
): Promise<Measured> {
  const machine = await launch(
    {
      name: "bench-stage2",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 2,
      drives: [{ file: disk.disk, format: "raw", readOnly: false, serial: diskSerial, disposable: true }],
      nics: [],
      boot: { kernel: disk.kernel, initrd: disk.ramdisk, append: `${disk.commandLine} dualroot.break` },
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(disk.kernel), consoleLog: `${disk.disk}.log` },
  );
  try {
    await machine.console.waitFor(/dualroot\.break was given/, 180);
    await machine.console.waitFor(prompt, 60);
    return await work(machine);
  } finally {
    await machine.kill();
  }
}

/** By the host's clock, from the first line that matches one to the first that matches the other. */
function secondsBetween({ console }: RunningMachine, from: RegExp, to: RegExp): number {
  const at = (pattern: RegExp): number => {
    const line = console.lines.find(({ text }) => pattern.test(text));
    if (line === undefined) throw new Error(`the console never showed ${pattern}`);
    return line.atMs;
  };
  return (at(to) - at(from)) / 1000;
}
