import { createProgress } from "../../builder/render/progress.ts";
import { errorLines } from "../../builder/render/error.ts";
import { exitCodes, UserError } from "../../format/errors.ts";
import type { BenchRow } from "./bench-row.ts";

/** `npm run bench [ramdisk|rootfs|helper|inputs|stage2|stash|upgrade|large …] [--json]`: ratios against real peers, both sides measured in the same run. A bench that this machine is not made for is told and left out; the exit code is 3 then. */
const benches: Record<string, () => Promise<BenchRow[]>> = {
  ramdisk: async () => (await import("./ramdisk.ts")).benchRamdisk(),
  rootfs: async () => (await import("./rootfs.ts")).benchRootfs(),
  helper: async () => (await import("./helper.ts")).benchHelper(),
  inputs: async () => (await import("./inputs.ts")).benchInputs(),
  stage2: async () => (await import("./stage2.ts")).benchStage2(),
  stash: async () => (await import("./stash.ts")).benchStash(),
  upgrade: async () => (await import("./upgrade.ts")).benchUpgrade(),
  large: async () => (await import("./stash.ts")).benchLargePackage(),
};

const words = process.argv.slice(2);
const json = words.includes("--json");
const wanted = words.filter((word) => !word.startsWith("--"));
const unknown = wanted.filter((word) => !(word in benches));
if (unknown.length > 0) {
  process.stderr.write(`no bench "${unknown.join(", ")}"; there are ${Object.keys(benches).join(", ")}\n`);
  process.exit(2);
}

const report = createProgress();
const rows: BenchRow[] = [];
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) {
  report({ kind: "note", level: "info", message: `Measuring ${name} ...` });
  try {
    const measured = await benches[name]!();
    rows.push(...measured);
    if (!json) process.stdout.write(measured.map((row) => `${describe(row)}\n`).join(""));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${errorLines(error).join("\n")}\n`);
    process.exitCode = exitCodes.badInput;
  }
}
if (json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);

function describe({ name, ours, peer, ratio, target, unit }: BenchRow): string {
  const verdict = ratio <= target ? "ok    " : "MISSED";
  const [left, right] = [ours, peer].map((value) =>
    unit === "bytes" ? `${(value / 1e6).toFixed(1)} MB` : `${value.toFixed(2)} ${unit}`,
  );
  return `${verdict} ${ratio.toFixed(3)} (at most ${target})  ${name}: ${left} against ${right}`;
}
