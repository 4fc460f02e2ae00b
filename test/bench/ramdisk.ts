import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { buildBootFiles } from "../../builder/boot/build-boot-files.ts";
import { buildRamdisk } from "../../builder/ramdisk/build-ramdisk.ts";
import { agentEntry } from "../../builder/ramdisk/bundle-agent.ts";
import { kernelEntries, toolEntries } from "../../builder/ramdisk/contents.ts";
import { FileDigests } from "../../builder/ramdisk/file-digests.ts";
import { moduleClosure } from "../../builder/ramdisk/kernel-modules.ts";
import type { Compression } from "../../builder/ramdisk/segment.ts";
import { findTools } from "../../builder/ramdisk/tools.ts";
import { writeImage } from "../../builder/ramdisk/write-image.ts";
import { silent } from "../../format/events.ts";
import { debianKernel, type KernelFixture } from "../fixtures/kernels.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";

const run = createRun(silent);
const rounds = 3;

/**
 * Our ramdisk against dracut's: the same tools, the modules dracut chose, the same compression, in one run and taking turns.
 *
 * dracut is given every advantage that its options allow: no systemd, no search for this machine's hardware, pigz for gzip,
 * one archive. What still differs is its own: udev (with systemd's library and OpenSSL), bash and its scripts, kmod with
 * binary indexes; a dictionary of 1 MiB and both cores for xz, `--rsyncable` for gzip. Ours has Node where the row says so.
 */
export async function benchRamdisk(): Promise<BenchRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), "dualroot-bench-"));
  try {
    const kernel = await debianKernel("amd64");
    // Also puts what both read into memory.
    await dracut(scratch, kernel, "none");
    const modules = modulesIn(join(scratch, "dracut-none.img"));
    const count = `${modules.length} modules`;
    const ours = (compression: Compression) => withoutNode(scratch, kernel, modules, compression);
    await ours("none");

    const plain = { ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      plain.ours.push(await ours("none"));
      plain.peer.push(await dracut(scratch, kernel, "none"));
    }
    const rows = [
      benchRow(`ramdisk, uncompressed, ${count}`, median(plain.ours), median(plain.peer), 0.1, "s"),
    ];
    for (const compression of ["gzip", "xz"] as const) {
      const cold = await ours(compression);
      const peer = await dracut(scratch, kernel, compression);
      const full = await withNode(scratch, kernel, compression);
      const size = statSync(join(scratch, `ours-${compression}.img`)).size;
      const peerSize = statSync(join(scratch, `dracut-${compression}.img`)).size;
      rows.push(
        benchRow(`ramdisk, ${compression}, cold, ${count}`, cold, peer, 0.5, "s"),
        benchRow(
          `ramdisk with Node, ${compression}, only the agent changed`,
          full.warmSeconds,
          peer,
          0.05,
          "s",
        ),
        benchRow(`ramdisk size, ${compression}, ${count}`, size, peerSize, 0.8, "bytes"),
        benchRow(
          `ramdisk size, ${compression}, virtual profile with Node and agent against ${count} without`,
          full.bytes,
          peerSize,
          0.8,
          "bytes",
        ),
      );
    }
    return rows;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Seconds. */
async function dracut(scratch: string, kernel: KernelFixture, compression: Compression): Promise<number> {
  const { tools, busybox } = findTools();
  const flags = { none: "--no-compress", gzip: "--gzip", xz: "--xz" } as const;
  const confFolder = join(scratch, "dracut.conf.d");
  mkdirSync(confFolder, { recursive: true });
  const options = [
    ...["--force", "--quiet", "--no-hostonly", "--no-early-microcode", "--reproducible"],
    ...["--conf", "/dev/null", "--confdir", confFolder],
    ...["--add", "lvm", "--omit", "systemd systemd-initrd dracut-systemd"],
    ...["--install", [...tools.map((tool) => tool.path), busybox].join(" ")],
    ...["--kmoddir", kernel.modulesFolder, flags[compression]],
  ];
  const output = join(scratch, `dracut-${compression}.img`);
  return await seconds(() => run("dracut", [...options, output, kernel.version]));
}

/** Names of the modules in an uncompressed image. */
function modulesIn(image: string): string[] {
  const names = execFileSync("cpio", ["-it", "--quiet"], {
    input: readFileSync(image),
    maxBuffer: 64 * 1024 * 1024,
  }).toString();
  return names.split("\n").filter((name) => name.endsWith(".ko"));
}

/** Seconds for the same content as dracut was asked for, by our own parts, with nothing of an earlier build. */
async function withoutNode(
  scratch: string,
  kernel: KernelFixture,
  modules: readonly string[],
  compression: Compression,
): Promise<number> {
  const cacheFolder = join(scratch, "cache-same");
  rmSync(cacheFolder, { recursive: true, force: true });
  const digests = new FileDigests(join(cacheFolder, "digests.json"));
  const context = { cacheFolder, digests, run, compression };
  return await seconds(async () => {
    const closure = await moduleClosure(kernel.modulesFolder, modules, context);
    const tools = await toolEntries([], run);
    const segments = [
      { name: "tools" as const, entries: tools, modifiedAt: 0 },
      { name: "kernel" as const, entries: kernelEntries(kernel, closure).entries, modifiedAt: 0 },
    ];
    await writeImage(segments, context, join(scratch, `ours-${compression}.img`));
  });
}

/** The ramdisk of virtual machines as a package has it, with the real agent: its size; and how long a build takes when another agent comes. */
async function withNode(
  scratch: string,
  kernel: KernelFixture,
  compression: Compression,
): Promise<{ bytes: number; warmSeconds: number }> {
  const bootFiles = join(scratch, "grub");
  if (!existsSync(bootFiles)) await buildBootFiles(bootFiles, silent);
  const inputs = {
    kernel,
    keys: { format: 1 as const, keys: [] },
    bootFiles,
    compression,
    sourceDateEpoch: 0,
    cacheFolder: join(scratch, "cache-full"),
    profile: "virtual" as const,
  };
  const output = join(scratch, `full-${compression}.img`);
  const { sizeBytes } = await buildRamdisk(inputs, output, silent);
  const warm: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // The agent and one line more.
    const changed = join(scratch, `agent-${round}.ts`);
    writeFileSync(
      changed,
      `import ${JSON.stringify(agentEntry)};\nprocess.stdout.write("round ${round}");\n`,
    );
    warm.push(await seconds(() => buildRamdisk({ ...inputs, agentEntry: changed }, output, silent)));
  }
  return { bytes: sizeBytes, warmSeconds: median(warm) };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
