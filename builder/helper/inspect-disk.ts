import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { Run } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import { diskFormats, type DiskFormat, type FileWindow } from "../vm/description.ts";
import { imageWord } from "../vm/qemu.ts";
import type { AttachedDisk } from "./helper-machine.ts";

export interface HelperDisk {
  file: string;
  /** The file stays as it is, whatever is written to the disk. */
  readOnly?: boolean;
  /** What the file is; without it, what its content says. A raw disk whose guest may be hostile should be named as one. */
  format?: DiskFormat;
  /** The image may name other files that are read with it. */
  allowBackingFile?: boolean;
  /** The image is this part of the file; its format must be given. */
  window?: FileWindow;
}

const infoSchema = z.looseObject({
  format: z.string(),
  "backing-filename": z.string().optional(),
  "format-specific": z
    .looseObject({
      data: z.looseObject({
        "data-file": z.string().optional(),
        extents: z.array(z.looseObject({ filename: z.string() })).optional(),
        encrypt: z.unknown().optional(),
      }),
    })
    .optional(),
});

/** Refuses what is no disk image, what this user may not open, and images that would make QEMU read other files. */
export async function inspectDisk(disk: HelperDisk, run: Run): Promise<AttachedDisk> {
  const file = resolve(disk.file);
  refuseUnusable(disk, file);
  const wanted =
    disk.format === undefined
      ? [file]
      : disk.window
        ? [imageWord({ file, format: disk.format, window: disk.window })]
        : ["-f", disk.format, file];
  // `-U`: a disk that is in use may be looked at; whether it may be used, QEMU says when it opens it.
  const info = await run("qemu-img", ["info", "-U", "--output=json", ...wanted], {
    acceptExitCodes: [1],
    hint: "apt-get install qemu-utils",
  });
  if (info.exitCode !== 0) {
    throw userError({
      code: "helper-disk-unreadable",
      message: `${disk.file} cannot be read as a disk image: ${info.stderr.trim().replace(/^qemu-img: /, "")}`,
      hint: "Give a raw, qcow2, vmdk, vdi, vhd or vhdx image that is whole.",
    });
  }
  const facts = infoSchema.parse(JSON.parse(info.stdout));
  const format = diskFormats.find((name) => name === facts.format);
  if (format === undefined) {
    throw userError({
      code: "helper-disk-unreadable",
      message: `${disk.file} has the format ${facts.format}, which the helper does not take.`,
      hint: "Convert it with qemu-img, or give raw, qcow2, vmdk, vdi, vhd or vhdx.",
    });
  }
  const others = otherFiles(facts, file, disk.window);
  if (others.length > 0 && !disk.allowBackingFile) {
    throw userError({
      code: "helper-disk-names-others",
      message: `${disk.file} makes QEMU read other files: ${others.join(", ")}.`,
      hint: "If you trust where the image comes from, say --allow-backing-file; or make it one file with qemu-img convert.",
    });
  }
  return {
    file,
    format,
    readOnly: disk.readOnly ?? false,
    ...(disk.window ? { window: disk.window } : {}),
  };
}

function refuseUnusable(disk: HelperDisk, file: string): void {
  const mode = disk.readOnly ? constants.R_OK : constants.R_OK | constants.W_OK;
  try {
    accessSync(file, mode);
  } catch (cause) {
    const isThere = statSync(file, { throwIfNoEntry: false }) !== undefined;
    throw userError(
      {
        code: "helper-disk-missing",
        message: isThere
          ? `This user may not ${disk.readOnly ? "read" : "write"} ${disk.file}.`
          : `There is no ${disk.file}.`,
        hint: isThere && !disk.readOnly ? "To only read it, append :ro." : "Check the path and its mode.",
      },
      "badInput",
      { cause },
    );
  }
  const stat = statSync(file);
  if (stat.isFile() || stat.isBlockDevice()) return;
  throw userError({
    code: "helper-disk-unreadable",
    message: `${disk.file} is neither a file nor a block device.`,
    hint: "Give a disk image.",
  });
}

function otherFiles(facts: z.infer<typeof infoSchema>, file: string, window?: FileWindow): string[] {
  const data = facts["format-specific"]?.data;
  const isItself = (name: string): boolean =>
    window ? isWindowOf(name, file, window) : resolve(name) === file;
  return [
    facts["backing-filename"],
    data?.["data-file"],
    ...(data?.extents ?? []).map((extent) => extent.filename).filter((name) => !isItself(name)),
  ].filter((name) => name !== undefined);
}

function isWindowOf(name: string, file: string, window: FileWindow): boolean {
  if (!name.startsWith("json:")) return false;
  const own = imageWord({ file, format: "raw", window });
  return isDeepStrictEqual(JSON.parse(name.slice(5)), JSON.parse(own.slice(5)));
}
