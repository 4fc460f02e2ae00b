import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { hashStored } from "../../agent/stash/stored-file.ts";
import { createRun } from "../../agent/system/run.ts";
import { createMedia } from "../../builder/smoke/disk-copy.ts";
import { chooseAccelerator } from "../../builder/vm/accelerator.ts";
import { launch } from "../../builder/vm/launch.ts";
import { silent } from "../../format/events.ts";
import { manifestName, packageFiles, signatureName } from "../../format/manifest.ts";
import { GiB, MiB } from "../../format/sizes.ts";
import { stashSchema, type Stash } from "../../format/stash.ts";
import { makeSmallPackage } from "../fixtures/small-package.ts";

const run = createRun(silent);
/** The small package's layout: all before this becomes table, boot partitions and LVM's metadata. */
const regionStart = 100 * MiB;
const diskNames = ["xfs-lvm", "low", "pieces", "again"] as const;

let scratch: string;
let packageFolder: string;
let output: string;
/** `CASE NAME key=value …` lines of the script, by name. */
let cases: Map<string, string>;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-stash-"));
  packageFolder = join(scratch, "package");
  await makeSmallPackage(packageFolder, scratch);
  const names = [...Object.values(packageFiles), manifestName, signatureName];
  const media = join(scratch, "media.img");
  await createMedia({ run, packageFolder, names, scratch, image: media });
  for (const name of diskNames) {
    writeFileSync(join(scratch, `${name}.img`), "");
    truncateSync(join(scratch, `${name}.img`), GiB);
  }
  const kernel = join(packageFolder, packageFiles.kernel);
  const machine = await launch(
    {
      name: "stash-places",
      machine: "q35",
      memoryBytes: GiB,
      cpus: 1,
      processor: "plain",
      drives: [
        ...diskNames.map((name) => ({
          file: join(scratch, `${name}.img`),
          format: "raw" as const,
          readOnly: false,
          serial: name,
          disposable: true,
        })),
        { file: media, format: "raw" as const, readOnly: true, serial: "media", disposable: true },
      ],
      nics: [],
      boot: {
        kernel,
        initrd: await writeInitrd(),
        append: "console=ttyS0 quiet panic=-1 rdinit=/test-init",
      },
      display: "none",
      onReset: "stop",
    },
    { accelerator: await chooseAccelerator(kernel), consoleLog: join(scratch, "console.log") },
  );
  try {
    await machine.console.waitFor(/^CASE end|Kernel panic/m, 900, "the script's end");
    await machine.ended(60);
    output = machine.console.textSince(0).replaceAll("\r", "");
  } finally {
    await machine.kill();
    if (process.env["KEEP"]) writeFileSync(process.env["KEEP"], await readFile(join(scratch, "console.log")));
  }
  cases = new Map([...output.matchAll(/^CASE ([a-z-]+) (.*)$/gm)].map((match) => [match[1]!, match[2]!]));
  return () => rmSync(scratch, { recursive: true });
});

/** The package's ramdisk with a script of ours in the place of /init: a machine with all its tools and nothing else. */
async function writeInitrd(): Promise<string> {
  const folder = join(scratch, "init");
  mkdirSync(folder);
  const script = await readFile(fileURLToPath(new URL("stash-places.sh", import.meta.url)));
  writeFileSync(join(folder, "test-init"), script);
  chmodSync(join(folder, "test-init"), 0o755);
  const image = join(scratch, "test.img");
  const join2 = 'cp "$1" "$2" && cd "$3" && echo test-init | cpio --quiet -o -H newc >>"$2"';
  await run("sh", ["-c", join2, "sh", join(packageFolder, packageFiles.ramdisk), image, folder]);
  return image;
}

function valuesOf(name: string): Record<string, string> {
  const line = cases.get(name);
  if (line === undefined) throw new Error(`no case ${name}:\n${output}`);
  return Object.fromEntries(
    [...line.matchAll(/(\w+)=(\S+(?: [0-9a-f]{64})?)/g)].map((match) => [match[1], match[2]!]),
  );
}

/** stash.json from the raw image, found and checked as the ramdisk will. */
async function readStash(image: string, place: string): Promise<Stash> {
  const match = /^(\d+)\+(\d+) ([0-9a-f]{64})$/.exec(place);
  if (!match) throw new Error(`"${place}" is no place:\n${output}`);
  const file = await open(image, "r");
  try {
    const { buffer } = await file.read(
      Buffer.alloc(Number(match[2]) * 512),
      0,
      Number(match[2]) * 512,
      Number(match[1]) * 512,
    );
    expect(createHash("sha256").update(buffer).digest("hex")).toBe(match[3]);
    return stashSchema.parse(JSON.parse(buffer.toString()));
  } finally {
    await file.close();
  }
}

/** Every file of the stash, read from the image at its ranges, against stash.json and the package on this machine. */
async function expectWholeStash(name: string, place: string): Promise<Stash> {
  const image = join(scratch, `${name}.img`);
  const stash = await readStash(image, place);
  expect(stash.files.map((file) => file.name).sort()).toEqual(
    [...Object.values(packageFiles), manifestName, signatureName, "identity.json", "preserved.tar"].sort(),
  );
  for (const file of stash.files) {
    const { sizeBytes, sha256, ranges = [] } = file;
    const found = await hashStored({ name: file.name, path: image, ranges, sizeBytes, sha256 });
    expect([file.name, found]).toEqual([file.name, sha256]);
    if (["identity.json", "preserved.tar"].includes(file.name)) continue;
    const original = createHash("sha256")
      .update(await readFile(join(packageFolder, file.name)))
      .digest("hex");
    expect([file.name, sha256]).toEqual([file.name, original]);
  }
  return stash;
}

function rangesOf({ files, space }: Stash): { startBytes: number; sizeBytes: number }[] {
  return [...files.flatMap(({ ranges = [] }) => ranges), space!.loader, ...(space!.oldSystem ?? [])];
}

const rangesOfFile = (stash: Stash, name: string): number =>
  stash.files.find((file) => file.name === name)?.ranges?.length ?? 0;

test.each(["xfs-lvm", "low", "pieces", "again"])(
  "%s: the raw disk holds the stash where its list says, outside all that the new layout needs",
  async (name) => {
    const { exit, stash: place, flags, left, loaded } = valuesOf(name);
    expect({ exit, left, loaded }).toEqual({ exit: "0", left: "content,", loaded: "1" });
    expect(flags).toContain("i");
    const stash = await expectWholeStash(name, place!);
    const ranges = rangesOf(stash);
    expect(Math.min(...ranges.map(({ startBytes }) => startBytes))).toBeGreaterThanOrEqual(regionStart);
    expect(Math.max(...ranges.map(({ startBytes, sizeBytes }) => startBytes + sizeBytes))).toBeLessThan(GiB);
    expect(rangesOfFile(stash, packageFiles.kernel)).toBe(1);
    // The resume record's place must not hold one of an earlier conversion.
    const loader = Buffer.alloc(stash.space!.loader.sizeBytes);
    const file = await open(join(scratch, `${name}.img`), "r");
    await file.read(loader, 0, loader.length, stash.space!.loader.startBytes);
    await file.close();
    expect(loader.every((byte) => byte === 0)).toBe(true);
  },
);

test("the filesystem's first choice was where the new /boot will be: others were asked for, and the rest given back", () => {
  expect(output).toMatch(/CASE low free: [5-9]\d MiB below, 2[67]\d MiB above/);
  const { exit, elsewhere, below } = valuesOf("low");
  expect({ exit, below }).toEqual({ exit: "0", below: "0" });
  expect(Number(elsewhere)).toBeGreaterThan(MiB);
});

test("without that safeguard the stash lies in the way: the safeguard matters", () => {
  const { exit, below, flags } = valuesOf("low-unplaced");
  expect(exit).toBe("0");
  expect(flags).toContain("i");
  expect(Number(below)).toBeGreaterThan(MiB);
});

test("cancel removes the immutable file and unloads the ramdisk, and the room is free again", () => {
  const { flags, left, freed, loaded } = valuesOf("cancelled");
  expect({ flags, left, loaded }).toEqual({ flags: "absent", left: "nothing", loaded: "0" });
  // In blocks of 4 KiB: the log and the folder stay.
  expect(Number(freed)).toBeGreaterThan(-64);
});

test("on a filesystem without one piece for the kernel it is refused and leaves nothing, or goes to memory when that is accepted", () => {
  expect(valuesOf("pieces-refused")).toMatchObject({
    exit: "4",
    refusal: "power-cut-unsafe",
    flags: "absent",
    left: "nothing",
    loaded: "0",
  });
  expect(output).toContain("too little free space where the new layout has room for it");
  const { exit, flags, left } = valuesOf("pieces-ram");
  expect({ exit, flags }).toEqual({ exit: "0", flags: "absent" });
  expect(left).toContain("initramfs-convert.img,");
});

test("with one such piece it goes to the disk, the ramdisk in several", async () => {
  const { stash: place } = valuesOf("pieces");
  const stash = await readStash(join(scratch, "pieces.img"), place!);
  expect(rangesOfFile(stash, packageFiles.ramdisk)).toBeGreaterThan(3);
});

test("what a killed attempt left, the immutable flag included, is in nobody's way", () => {
  expect(valuesOf("killed").left).toContain("content,");
  expect(output).toContain(
    "CASE killed-status Unfinished: a conversion to small 1 was prepared but not armed.",
  );
  expect(valuesOf("again").exit).toBe("0");
});

test("status tells where the package is", () => {
  expect(output).toContain(
    "CASE status Armed: the next reboot converts this gateway to small 1 (kexec, stash on the disk).",
  );
});
