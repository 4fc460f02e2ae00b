import { Command } from "@commander-js/extra-typings";
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { phases } from "./log/phases.ts";
import { choosePoints } from "./points/choose-points.ts";
import { chooseSample } from "./points/choose-sample.ts";
import { listPoints, type Point } from "./points/points.ts";
import { conversionRecording } from "./record/conversion-recording.ts";
import { openRecording } from "./record/recording.ts";
import { resumeRecording } from "./record/resume-recording.ts";
import { upgradeRecording } from "./record/upgrade-recording.ts";
import { sweepProgress } from "./render/progress.ts";
import { renderTable } from "./render/summary.ts";
import { renderTimeline } from "./render/timeline.ts";
import { isPromised } from "./run/judge.ts";
import { sweep } from "./run/sweep.ts";
import type { OldStack } from "./systems/old-tree.ts";

/** `npm run test:power`: see docs/power-tests.md. */
const program = new Command("test:power")
  .description("Cut the power of a conversion at many moments, and boot what is left with nobody's help")
  .option(
    "--points <count>",
    "how many moments, chosen by the seed",
    (text) => Number.parseInt(text, 10),
    200,
  )
  .option("--seed <word>", "chooses subsets, torn writes and points", "dualroot")
  .option("--only <names...>", "these points alone, by the names in the table")
  .option("--sample", "the dozen that `npm test` runs, around both switches")
  .option("--phase <name>", `only cuts in: ${phases.join(", ")}`)
  .option("--resume-sweep", "cut a conversion that is itself carrying on after a cut")
  .option(
    "--upgrade",
    "cut an online upgrade of the converted gateway: before, writing, activated, first boot",
  )
  .option("--recording <folder>", "an earlier recording, instead of one of the code as it is now")
  .option("--stack <stack>", "old root filesystem: ext4 or xfs-on-lvm", "ext4")
  .option(
    "--parallel <count>",
    "machines at a time",
    (text) => Number.parseInt(text, 10),
    availableParallelism(),
  )
  .option("--list", "print the points and boot none")
  .option("--json", "print the results as JSON on standard output")
  .option("--out <folder>", "results", fileURLToPath(new URL("../../out/power/", import.meta.url)))
  .addHelpText(
    "after",
    "\nExit codes: 0 every point ended as promised, 1 some did not, 2 wrong usage, 5 the rig failed.",
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

async function main(): Promise<number> {
  const options = program.parse().opts();
  if (options.stack !== "ext4" && options.stack !== "xfs-on-lvm")
    program.error("--stack: ext4 or xfs-on-lvm");
  const stack = options.stack as OldStack;
  const folder = options.recording ?? (await record(stack, options));
  const recording = await openRecording(folder);
  const all = listPoints({ ...recording, seed: options.seed });
  const points = options.sample ? chooseSample(all, recording.switches, options.seed) : select(all, options);
  if (points.length === 0) program.error("no point is left; see --list");
  const rows = points.map(({ name, phase, kind, at, kept }) => ({
    name,
    phase,
    kind,
    at,
    kept: kept.length,
  }));
  if (options.list) {
    for (const row of rows) process.stdout.write(`${Object.values(row).join("\t")}\n`);
    return 0;
  }
  process.stderr.write(
    `power: ${recording.title}, seed ${options.seed}: ${points.length} of ${all.length} points, ${options.parallel} at a time\n`,
  );
  const kind = options.upgrade ? "upgrade" : options.resumeSweep ? `${stack}-resume` : stack;
  const output = join(options.out, kind);
  const results = await sweep({
    recording,
    points,
    folder: output,
    key: `${basename(folder)} ${options.seed}`,
    parallel: options.parallel,
    onResult: sweepProgress(points.length, options.parallel),
  });
  await mkdir(output, { recursive: true });
  await writeFile(join(output, "table.md"), renderTable(recording.title, options.seed, results));
  await writeFile(join(output, "table.json"), `${JSON.stringify(results, null, 1)}\n`);
  await writeFile(join(output, "timeline.svg"), renderTimeline(recording, results));
  const red = results.filter((result) => !isPromised(result));
  if (options.json) process.stdout.write(`${JSON.stringify({ seed: options.seed, results }, null, 1)}\n`);
  else
    process.stdout.write(`${results.length} points, ${red.length} red; table and picture are in ${output}\n`);
  return red.length === 0 ? 0 : 1;
}

async function record(
  stack: OldStack,
  { upgrade, resumeSweep }: { upgrade?: true | undefined; resumeSweep?: true | undefined },
): Promise<string> {
  if (upgrade) return upgradeRecording();
  const conversion = await conversionRecording({ stack });
  return resumeSweep ? resumeRecording(conversion) : conversion;
}

function select(
  all: readonly Point[],
  options: { only?: string[]; phase?: string; points: number; seed: string },
): Point[] {
  if (options.only) return all.filter(({ name }) => options.only?.includes(name));
  const inPhase = all.filter(({ phase }) => options.phase === undefined || phase === options.phase);
  return choosePoints(inPhase, options.points, options.seed);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`power: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 5;
}
