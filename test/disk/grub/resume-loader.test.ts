import { mkdtemp, open, readFile, rm, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { placeBootImage, placeCoreImage } from "../../../agent/boot/core-image.ts";
import { loaderModules, loaderScript } from "../../../agent/boot/resume-loader.ts";
import type { ByteRange } from "../../../agent/plan/step.ts";
import { createRun } from "../../../agent/system/run.ts";
import { chooseAccelerator } from "../../../builder/vm/accelerator.ts";
import { launch, type RunningMachine } from "../../../builder/vm/launch.ts";
import { silent } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { tellAndRestart, tinyInitramfs } from "./tiny-system.ts";

const run = createRun(silent);
const images = "/usr/lib/grub/i386-pc";
const loaderSector = (96 * MiB) / 512 + 1;
const kernelStart = 64 * MiB;
const words = ["console=ttyS0,115200", "quiet", "dualroot.mode=convert", "dualroot.stash_at=1+2"];
const consoles = ["console=ttyS0,115200"];
let folder: string;
let disk: string;
let kernelImage: string;
let machine: RunningMachine | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-loader-"));
  disk = join(folder, "disk.img");
  kernelImage = (await debianKernel("cloud-amd64")).image;
  const file = await open(disk, "w");
  await file.truncate(128 * MiB);
  const kernel = await readFile(kernelImage);
  await file.write(kernel, 0, kernel.length, kernelStart);
  const ramdisk = await scatter(await tinyInitramfs(tellAndRestart), file);
  expect(ramdisk.length, "a badly fragmented ramdisk").toBeGreaterThan(100);

  const script = loaderScript({
    kernel: { startBytes: kernelStart, sizeBytes: Math.ceil(kernel.length / 512) * 512 },
    ramdisk,
    words,
    consoles,
  });
  await writeFile(join(folder, "script"), script);
  const image = join(folder, "core.img");
  const options = [`--directory=${images}`, "--prefix=/", `--config=${join(folder, "script")}`];
  await run("grub-mkimage", ["--format=i386-pc", ...options, `--output=${image}`, ...loaderModules]);
  const core = placeCoreImage(await readFile(image), loaderSector);
  await file.write(core, 0, core.length, loaderSector * 512);
  const sector0 = Buffer.alloc(512);
  sector0.writeUInt16LE(0xaa55, 510);
  const boot = placeBootImage(await readFile(join(images, "boot.img")), sector0, loaderSector);
  await file.write(boot, 0, 512, 0);
  await file.close();
});
afterAll(async () => {
  await machine?.kill();
  await rm(folder, { recursive: true });
});

/** Pieces of a few sectors all over the disk's beginning, the last ones first. */
async function scatter(bytes: Buffer, file: FileHandle): Promise<ByteRange[]> {
  const ranges: ByteRange[] = [];
  for (let offset = 0, place = 60 * MiB; offset < bytes.length; offset += 16 * 512, place -= 40 * 512) {
    const piece = bytes.subarray(offset, offset + 16 * 512);
    await file.write(piece, 0, piece.length, place);
    ranges.push({ startBytes: place, sizeBytes: Math.ceil(piece.length / 512) * 512 });
  }
  return ranges;
}

test("a loader anywhere on a disk without any table boots kernel and ramdisk from its sectors, and tells when it cannot", async () => {
  machine = await launch(
    {
      name: "resume-loader",
      machine: "q35",
      memoryBytes: 512 * MiB,
      cpus: 1,
      processor: "plain",
      drives: [{ file: disk, format: "raw", readOnly: false, serial: "loader", disposable: true }],
      nics: [],
      display: "none",
      onReset: "restart",
    },
    { accelerator: await chooseAccelerator(kernelImage), consoleLog: join(folder, "console.log") },
  );
  const { console } = machine;
  await console.waitFor(/dualroot: the conversion of this gateway was interrupted/, 60);
  const [booted] = await console.waitFor(/BOOTED [^\n]*\n/, 120);
  expect(booted).toContain(words.join(" "));

  // The machine restarts by itself; by then its kernel is gone.
  const file = await open(disk, "r+");
  await file.write(Buffer.alloc(MiB), 0, MiB, kernelStart);
  await file.close();
  await console.waitFor(/the ramdisk cannot be read from the disk\. Next try in 30 seconds/, 120);
  await console.waitFor(/dualroot: the conversion of this gateway was interrupted/, 120, "the next try");
});
