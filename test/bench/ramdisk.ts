import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { buildRamdisk, type RamdiskInputs } from "../../builder/ramdisk/build-ramdisk.ts";
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
 * Dracut's image also has systemd and udev, which is its own choice; ours has Node where the row says so.
 */
export async function benchRamdisk(): Promise<BenchRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), "dualroot-bench-"));
  try {
    const kernel = await debianKernel("amd64");
    const peer = (compression: Compression): Promise<number> => dracut(scratch, kernel, compression);
    await peer("none");
    const modules = modulesIn(join(scratch, "dracut-none.img"));
    const same = (compression: Compression, cold: boolean) =>
      withoutNode(scratch, kernel, modules, compression, cold);

    const plain = { ours: [] as number[], peer: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      plain.ours.push(await same("none", true));
      plain.peer.push(await peer("none"));
    }
    const gzip = { ours: await same("gzip", true), peer: await peer("gzip") };
    const xz = { ours: await same("xz", true), peer: await peer("xz") };

    const inputs = fullInputs(scratch, kernel);
    await buildRamdisk(inputs, join(scratch, "full.img"), silent);
    writeFileSync(inputs.agentEntry, 'process.stdout.write("changed");\n');
    const warm = await seconds(() => buildRamdisk(inputs, join(scratch, "full.img"), silent));

    const size = (name: string): number => statSync(join(scratch, name)).size;
    const count = `${modules.length} modules`;
    return [
      benchRow(`ramdisk, uncompressed, ${count}`, median(plain.ours), median(plain.peer), 0.1, "s"),
      benchRow(`ramdisk, gzip, cold, ${count}`, gzip.ours, gzip.peer, 0.5, "s"),
      benchRow(`ramdisk, xz, cold, ${count}`, xz.ours, xz.peer, 0.5, "s"),
      benchRow("ramdisk with Node, xz, only the agent changed", warm, xz.peer, 0.05, "s"),
      benchRow(`ramdisk size, xz, ${count}`, size("ours-xz.img"), size("dracut-xz.img"), 0.8, "bytes"),
      benchRow(
        "virtual profile with Node and agent, xz",
        size("full.img"),
        size("dracut-xz.img"),
        0.8,
        "bytes",
      ),
    ];
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function dracut(scratch: string, kernel: KernelFixture, compression: Compression): Promise<number> {
  const tools = findTools().tools.map((tool) => tool.path);
  const flags = { none: "--no-compress", gzip: "--gzip", xz: "--xz" } as const;
  const options = [
    "--force",
    "--quiet",
    "--no-hostonly",
    "--no-early-microcode",
    "--reproducible",
    "--conf",
    "/dev/null",
    "--confdir",
    scratch,
  ];
  const content = ["--add", "lvm", "--kmoddir", kernel.modulesFolder, "--install", tools.join(" ")];
  const output = join(scratch, `dracut-${compression}.img`);
  return await seconds(() =>
    run("dracut", [...options, ...content, flags[compression], output, kernel.version]),
  );
}

/** Names of the modules in an uncompressed image. */
function modulesIn(image: string): string[] {
  const names = execFileSync("cpio", ["-it", "--quiet"], {
    input: readFileSync(image),
    maxBuffer: 64 * 1024 * 1024,
  }).toString();
  return names.split("\n").filter((name) => name.endsWith(".ko"));
}

/** The same content as dracut was asked for, by our own parts. `cold`: nothing of an earlier build is used. */
async function withoutNode(
  scratch: string,
  kernel: KernelFixture,
  modules: readonly string[],
  compression: Compression,
  cold: boolean,
) {
  const cacheFolder = join(scratch, "cache-same");
  if (cold) rmSync(cacheFolder, { recursive: true, force: true });
  const context = {
    cacheFolder,
    digests: new FileDigests(join(cacheFolder, "digests.json")),
    run,
    compression,
  };
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

function fullInputs(scratch: string, kernel: KernelFixture): RamdiskInputs & { agentEntry: string } {
  mkdirSync(join(scratch, "grub"), { recursive: true });
  writeFileSync(join(scratch, "agent.ts"), 'process.stdout.write("first");\n');
  return {
    kernel,
    keys: { format: 1, keys: [] },
    bootFiles: join(scratch, "grub"),
    compression: "xz",
    sourceDateEpoch: 0,
    cacheFolder: join(scratch, "cache-full"),
    profile: "virtual",
    agentEntry: join(scratch, "agent.ts"),
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
