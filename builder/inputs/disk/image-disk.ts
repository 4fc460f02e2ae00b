import { lstat, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import * as z from "zod";
import { createRun, type Run } from "../../../agent/system/run.ts";
import { userError, type UserError } from "../../../format/errors.ts";
import type { Reporter } from "../../../format/events.ts";
import type { HelperDisk } from "../../helper/inspect-disk.ts";
import type { DiskFormat as QemuFormat, FileWindow } from "../../vm/description.ts";
import { imageWord } from "../../vm/qemu.ts";
import { isLuks, type DiskFormat } from "./disk-format.ts";
import { missingBytesOfVdi } from "./vdi-size.ts";

/** A disk of a machine, as the helper takes it. */
export interface ImageDisk {
  disk: HelperDisk & { format: QemuFormat };
  /** All files that are read for it. */
  files: string[];
}

export interface ImageDiskOptions {
  /** For messages: the file, or its name in an OVA. */
  name: string;
  file: string;
  format: DiskFormat;
  window?: FileWindow;
  allowBackingFile: boolean;
  report: Reporter;
}

/** Of `qemu-img info --backing-chain`: the image, then what it is based on. */
const chainSchema = z
  .array(
    z.looseObject({
      filename: z.string(),
      "backing-filename": z.string().optional(),
      "format-specific": z
        .looseObject({
          data: z.looseObject({
            "data-file": z.string().optional(),
            encrypt: z.unknown().optional(),
            extents: z
              .array(z.looseObject({ filename: z.string(), format: z.string(), "virtual-size": z.number() }))
              .optional(),
          }),
        })
        .optional(),
    }),
  )
  .min(1);

/** These say of themselves whether they are whole. */
const checkable = new Set<QemuFormat>(["qcow2", "vmdk", "vdi", "vhdx"]);

/** Looks at an image before the helper gets it: whether it is whole, and which other files belong to it. */
export async function imageDisk(options: ImageDiskOptions): Promise<ImageDisk> {
  const { file, window, allowBackingFile } = options;
  const run = createRun(options.report);
  const format: QemuFormat = options.format === "vhd" ? "vpc" : options.format;
  const words = window ? [imageWord({ file, format, window })] : ["-f", format, file];
  if (format === "raw" && isLuks(await headOf(file, window?.offset ?? 0))) throw encrypted(options.name);
  const others = await otherFiles(options, words, run);
  await refuseTruncated(options, format, words, run);
  return {
    disk: {
      file,
      format,
      readOnly: true,
      ...(window ? { window } : {}),
      ...(allowBackingFile || others.length > 0 ? { allowBackingFile: true } : {}),
    },
    files: [file, ...others],
  };
}

async function otherFiles(options: ImageDiskOptions, words: readonly string[], run: Run): Promise<string[]> {
  const { file, name, window, allowBackingFile } = options;
  const chain = allowBackingFile ? ["--backing-chain"] : [];
  const info = await run("qemu-img", ["info", "-U", ...chain, "--output=json", ...words], {
    acceptExitCodes: [1],
    hint: "apt-get install qemu-utils",
  });
  if (info.exitCode !== 0) throw damaged(name, info.stderr);
  const parsed: unknown = JSON.parse(info.stdout);
  const images = chainSchema.parse(Array.isArray(parsed) ? parsed : [parsed]);
  if (images.some((image) => image["format-specific"]?.data.encrypt !== undefined)) throw encrypted(name);
  const own = window ? undefined : resolve(file);
  const extents = images.flatMap((image) => image["format-specific"]?.data.extents ?? []);
  const named = [
    ...images.flatMap((image) => [image["backing-filename"], image["format-specific"]?.data["data-file"]]),
    ...images.slice(1).map(({ filename }) => filename),
  ].filter((other) => other !== undefined);
  const parts = extents.filter(({ filename }) => own !== undefined && resolve(filename) !== own);
  const strange = [];
  for (const { filename } of parts) if (!(await isNeighbour(filename, file))) strange.push(filename);
  if (!allowBackingFile && (named.length > 0 || strange.length > 0)) {
    throw userError({
      code: "disk-image-names-others",
      message: `${name} makes other files be read: ${[...new Set([...named, ...strange])].join(", ")}`,
      hint: "If you trust where the image comes from, say rootfs.allowBackingFile: true; or make it one file with `qemu-img convert`.",
    });
  }
  for (const part of parts.filter((extent) => extent.format === "FLAT")) {
    const { size } = await stat(part.filename);
    if (size < part["virtual-size"])
      throw damaged(part.filename, `it has ${size} bytes of ${part["virtual-size"]}`);
  }
  return [...new Set([...named, ...parts.map(({ filename }) => filename)].map((other) => resolve(other)))];
}

/** A flat VMDK is a text that names the files beside it. */
async function isNeighbour(other: string, file: string): Promise<boolean> {
  if (dirname(resolve(other)) !== dirname(resolve(file))) return false;
  return (await lstat(other).catch(() => undefined))?.isFile() ?? false;
}

/** QEMU gives zeros for what lies behind the end of some formats. */
async function refuseTruncated(
  { name, file, window }: ImageDiskOptions,
  format: QemuFormat,
  words: readonly string[],
  run: Run,
): Promise<void> {
  if (format === "vdi") {
    const missing = missingBytesOfVdi(
      await headOf(file, window?.offset ?? 0),
      window?.sizeBytes ?? (await stat(file)).size,
    );
    if (missing > 0) throw damaged(name, `it was cut off: ${missing} bytes are missing`);
  }
  if (!checkable.has(format)) return;
  // 3: clusters that nobody uses, which is harmless.
  const check = await run("qemu-img", ["check", "-U", ...words], { acceptExitCodes: [1, 2, 3] });
  if (check.exitCode === 1 || check.exitCode === 2)
    throw damaged(name, check.stderr === "" ? check.stdout : check.stderr);
}

async function headOf(file: string, offset: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const head = Buffer.alloc(512);
    await handle.read(head, 0, head.length, offset);
    return head;
  } finally {
    await handle.close();
  }
}

function encrypted(name: string): UserError {
  return userError({
    code: "disk-encrypted",
    message: `${name} is encrypted as a whole`,
    hint: "Export the machine without encryption, or give the root filesystem as a tar.",
  });
}

function damaged(name: string, why: string): UserError {
  const [first = "", ...more] = why.trim().split("\n");
  return userError({
    code: "disk-image-damaged",
    message: `${name} is damaged or cut off: ${first.replace(/^qemu-img: /, "").slice(0, 500)}${more.length > 0 ? ` (and ${more.length} more lines)` : ""}`,
    hint: "Copy or export it again, and compare the checksums.",
  });
}
