import { StepError } from "../../format/errors.ts";
import { parseLvmReport } from "../facts/volume-groups.ts";
import type { StepOf } from "../plan/step.ts";
import type { StepContext } from "./step-context.ts";

/** Extents start here on the physical volume; the plan reckons with it. */
const dataAlignmentBytes = 1024 * 1024;

/** Physical volume and group, read back from LVM. */
export async function createVolumeGroup(
  step: StepOf<"create-volume-group">,
  { run }: StepContext,
): Promise<void> {
  const identity = ["--uuid", step.physicalVolumeUuid, "--norestorefile"];
  const alignment = ["--dataalignment", `${dataAlignmentBytes}b`];
  await run("lvm", ["pvcreate", "--yes", "-ff", ...identity, ...alignment, step.device]);
  await run("lvm", [
    "vgcreate",
    "--yes",
    "--physicalextentsize",
    `${step.extentBytes}b`,
    step.name,
    step.device,
  ]);
  const columns = "pv_uuid,vg_name,vg_extent_size,pe_start";
  const format = ["--noheadings", "--separator", "|", "--units", "b", "--nosuffix"];
  const { stdout } = await run("lvm", ["pvs", ...format, "-o", columns, step.device]);
  const expected = [step.physicalVolumeUuid, step.name, String(step.extentBytes), String(dataAlignmentBytes)];
  const found = parseLvmReport(stdout)[0] ?? [];
  if (expected.join("|") !== found.join("|")) {
    throw new StepError(
      `LVM shows ${columns} as ${found.join("|") || "nothing"} instead of ${expected.join("|")}`,
    );
  }
}
