import { StepError } from "../../format/errors.ts";
import { parseLvmReport } from "../facts/volume-groups.ts";
import { stashVolume } from "../plan/check-layout.ts";
import type { ExtentRange, StepOf } from "../plan/step.ts";
import type { Run } from "../system/run.ts";
import type { StepContext } from "./step-context.ts";

type Volumes = StepOf<"create-volumes">["volumes"];

/** Linear volumes on exactly the planned extents. LVM sorts the ranges of one command by size, so each goes by its own. */
export async function createVolumes(
  step: StepOf<"create-volumes">,
  { run, report }: StepContext,
): Promise<void> {
  for (const [index, volume] of step.volumes.entries()) {
    const [first, ...rest] = volume.extents;
    if (first === undefined) throw new StepError(`volume ${volume.name} has no extents in the plan`);
    // Wiped and zeroed: whatever filesystem began there before must not be found again.
    const wipe = ["--wipesignatures", "y", "--zero", "y"];
    const size = ["--extents", String(first.count)];
    await run("lvm", [
      "lvcreate",
      "--yes",
      "--type",
      "linear",
      ...wipe,
      ...size,
      "--name",
      volume.name,
      step.group,
      place(step.device, first),
    ]);
    for (const range of rest) {
      await run("lvm", [
        "lvextend",
        "--extents",
        `+${range.count}`,
        `${step.group}/${volume.name}`,
        place(step.device, range),
      ]);
    }
    report({ kind: "progress", step: step.kind, done: index + 1, total: step.volumes.length, unit: "steps" });
  }
  if (step.kept.length > 0) await keep(step, run);
  const columns = "lv_name,seg_start_pe,pvseg_start,pvseg_size,segtype";
  const format = ["--segments", "--noheadings", "--separator", "|", "-o", columns];
  const { stdout } = await run("lvm", ["pvs", ...format, step.device]);
  const rows = parseLvmReport(stdout);
  const differences = [...compareWithLvm(step.volumes, rows), ...compareKept(step.kept, rows)];
  if (differences.length > 0)
    throw new StepError(`LVM did not place the volumes as planned: ${differences.join("; ")}`);
}

/** What lies there is in use: not wiped, not zeroed, never active, and read-only if somebody activates it all the same. */
async function keep({ kept, group, device }: StepOf<"create-volumes">, run: Run): Promise<void> {
  const untouched = ["--activate", "n", "--zero", "n", "--wipesignatures", "n", "--permission", "r"];
  const count = kept.reduce((sum, range) => sum + range.count, 0);
  // LVM may order the ranges as it likes: nobody reads them through the volume.
  await run("lvm", [
    "lvcreate",
    "--yes",
    "--type",
    "linear",
    ...untouched,
    "--extents",
    String(count),
    "--name",
    stashVolume,
    group,
    [device, ...kept.map(({ first, count }) => `${first}-${first + count - 1}`)].join(":"),
  ]);
}

function compareKept(kept: readonly ExtentRange[], rows: readonly string[][]): string[] {
  const found = rows
    .filter(([name]) => name === stashVolume)
    .map((row) => ({ first: Number(row[2]), count: Number(row[3]) }));
  const shown = (ranges: readonly ExtentRange[]): string =>
    merge([...ranges].sort((one, other) => one.first - other.first))
      .map(({ first, count }) => `${first}+${count}`)
      .join(",");
  if (shown(found) === shown(kept)) return [];
  return [`${stashVolume} planned on ${shown(kept) || "nothing"}, is on ${shown(found) || "nothing"}`];
}

/** Inclusive, as lvcreate takes it: `/dev/vda3:0-255`. */
function place(device: string, range: ExtentRange): string {
  return `${device}:${range.first}-${range.first + range.count - 1}`;
}

/** Rows: volume, start within the volume, start on the physical volume, length, segment type; in extents. */
export function compareWithLvm(volumes: Volumes, rows: readonly string[][]): string[] {
  const describe = (ranges: readonly ExtentRange[]): string =>
    ranges.map(({ first, count }) => `${first}+${count}`).join(",");
  return volumes.flatMap((volume) => {
    const segments = rows
      .filter(([name]) => name === volume.name)
      .sort((one, other) => Number(one[1]) - Number(other[1]));
    const types = new Set(segments.map((row) => row[4]));
    const found = merge(segments.map((row) => ({ first: Number(row[2]), count: Number(row[3]) })));
    const planned = describe(merge(volume.extents));
    const isRight = types.size === 1 && types.has("linear") && describe(found) === planned;
    return isRight
      ? []
      : [
          `${volume.name} planned on ${planned}, is ${[...types].join("+") || "absent"} on ${describe(found)}`,
        ];
  });
}

/** Neighbouring ranges are one to LVM. */
function merge(ranges: readonly ExtentRange[]): ExtentRange[] {
  const merged: ExtentRange[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last && last.first + last.count === range.first) last.count += range.count;
    else merged.push({ ...range });
  }
  return merged;
}
