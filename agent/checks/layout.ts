import { UserError } from "../../format/errors.ts";
import { formatSize } from "../../format/sizes.ts";
import { planConversion } from "../plan/conversion-plan.ts";
import { describeForStash } from "../plan/find-disk.ts";
import { fail, type Check, type CheckContext } from "./check.ts";

/** The plan itself, made for trial: it names what does not fit. */
export const layout: Check = {
  name: "layout",
  title: "New layout",
  run: (context) => {
    const { manifest, facts, template, reserved, disk } = context;
    const stash = context.stash ?? trialStash(context);
    if (!stash) return undefined;
    try {
      const plan = planConversion({
        manifest,
        facts,
        stash,
        ...(template ? { template } : {}),
        ...(reserved ? { reserved } : {}),
      });
      return `${plan.volumes.length} volumes fit on ${formatSize(disk?.sizeBytes ?? 0)}`;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.problems.map((problem) => ({ ...problem, verdict: "fail" as const }));
    }
  },
};

/** On the old system no seed exists yet; any will do to see whether the plan works. */
function trialStash({ disk }: CheckContext): CheckContext["stash"] {
  return disk && { disk: describeForStash(disk), seed: "0".repeat(32), consoles: [] };
}

/** LVM cannot have two groups of one name; the old group of that name may be on the disk that is replaced. */
export const volumeGroup: Check = {
  name: "volume-group",
  title: "Volume group name",
  run: ({ manifest, facts, disk }) => {
    if (!disk) return undefined;
    const name = manifest.layout.volumeGroup;
    const own = new Set([disk.path, ...disk.partitions.map((partition) => partition.path)]);
    const elsewhere = (facts.volumeGroups ?? [])
      .filter((group) => group.name === name)
      .flatMap((group) => group.physicalVolumes.filter((path) => !own.has(path)));
    if (elsewhere.length === 0) return `${name} is free`;
    return [
      fail({
        code: "volume-group-in-use",
        message: `The new system needs the volume group name ${name}, which is in use on ${elsewhere.join(", ")}.`,
        hint: "Rename the other group with vgrename, or detach its disk.",
      }),
    ];
  },
};
