import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import type { Run } from "../../agent/system/run.ts";
import { userError } from "../../format/errors.ts";
import { diskFormats, type DiskFormat } from "../vm/description.ts";
import type { AttachedDisk } from "./helper-machine.ts";

export interface HelperDisk {
  file: string;
  /** The file stays as it is, whatever is written to the disk. */
  readOnly?: boolean;
  /** What the file is; without it, what its content says. A raw disk whose guest may be hostile should be named as one. */
  format?: DiskFormat;
  /** The image may name other files that are read with it. */
  allowBackingFile?: boolean;
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
  const wanted = disk.format === undefined ? [] : ["-f", disk.format];
  // `-U`: a disk that is in use may be looked at; whether it may be used, QEMU says when it opens it.
  const info = await run("qemu-img", ["info", "-U", "--output=json", ...wanted, file], {
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
  const others = otherFiles(facts, file);
  if (others.length > 0 && !disk.allowBackingFile) {
    throw userError({
      code: "helper-disk-names-others",
      message: `${disk.file} makes QEMU read other files: ${others.join(", ")}.`,
      hint: "If you trust where the image comes from, say --allow-backing-file; or make it one file with qemu-img convert.",
    });
  }
  return { file, format, readOnly: disk.readOnly ?? false };
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

function otherFiles(facts: z.infer<typeof infoSchema>, file: string): string[] {
  const data = facts["format-specific"]?.data;
  return [
    facts["backing-filename"],
    data?.["data-file"],
    ...(data?.extents ?? []).map((extent) => extent.filename).filter((name) => resolve(name) !== file),
  ].filter((name) => name !== undefined);
}
