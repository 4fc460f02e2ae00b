import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readPackage } from "../../agent/package/read-package.ts";
import { planConversion } from "../../agent/plan/conversion-plan.ts";
import type { ConversionPlan } from "../../agent/plan/step.ts";
import { readBounded } from "../../agent/system/files.ts";
import { sha256Hex } from "../../format/digest.ts";
import { UserError, userError } from "../../format/errors.ts";
import { packageFiles } from "../../format/manifest.ts";
import { decodeSgdiskBackup, PartitionTableError } from "../../format/partition-table.ts";
import { MiB } from "../../format/sizes.ts";
import { factsSchema } from "./facts-schema.ts";

/** What a package would do to a described gateway. UUIDs are derived from the facts, so that the same question has one answer. */
export async function planForDisk(folder: string, factsFile: string): Promise<ConversionPlan> {
  const { manifest } = await readPackage(folder);
  const { facts, text } = await readFacts(factsFile);
  const name = facts.root?.disks[0] ?? facts.disks[0]?.name;
  const disk = facts.disks.find((candidate) => candidate.name === name);
  if (!disk)
    throw userError({
      code: "facts-without-disk",
      message: `${factsFile} describes no disk`,
      hint: "Use the facts of a gateway, as `sh upgrade.sh check --json` prints them.",
    });
  return planConversion({
    manifest,
    facts,
    stash: {
      disk: { name: disk.name, sizeBytes: disk.sizeBytes, serial: disk.serial, tableId: disk.tableId },
      seed: sha256Hex(text).slice(0, 32),
      consoles: facts.kernelCommandLine.split(/\s+/).filter((word) => word.startsWith("console=")),
    },
    template: await readTemplate(join(folder, packageFiles.partitionTable)),
  });
}

async function readFacts(file: string) {
  const bytes = await readBounded(file, 4 * MiB).catch(() => undefined);
  if (!bytes)
    throw userError({
      code: "facts-missing",
      message: `the facts ${file} cannot be read`,
      hint: "Give a JSON file of at most 4 MiB.",
    });
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw userError(
      {
        code: "facts-invalid",
        message: `${file} is not JSON`,
        hint: "Use what `sh upgrade.sh check --json` prints.",
      },
      "badInput",
      { cause },
    );
  }
  // The whole answer of `check --json` will do as well as the facts in it.
  const inner = typeof value === "object" && value !== null && "facts" in value ? value.facts : value;
  const parsed = factsSchema.safeParse(inner);
  if (!parsed.success) {
    throw new UserError(
      parsed.error.issues.map((issue) => ({
        code: "facts-invalid",
        message: `${issue.path.join(".") || "the facts"}: ${issue.message}`,
        hint: "Use what `sh upgrade.sh check --json` prints.",
        where: file,
      })),
    );
  }
  return { facts: parsed.data, text: bytes };
}

async function readTemplate(path: string) {
  try {
    return decodeSgdiskBackup(await readFile(path));
  } catch (cause) {
    const reason = cause instanceof PartitionTableError ? cause.message : "cannot be read";
    throw userError(
      {
        code: "partition-table-invalid",
        message: `${path} ${reason}`,
        hint: "Check the package with `dualroot verify`.",
      },
      "badInput",
      { cause },
    );
  }
}
