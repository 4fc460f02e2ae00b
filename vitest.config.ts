import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const minutes = 60_000;

/**
 * Whole conversions take minutes: with two at a time, the short tests fill the gaps behind them. The first one makes the recording
 * that power and dual tests begin with: two that begin together would wait for it together.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      ["/power/sample", "/conversion/", "/power/", "/dual/", "steps-conversion", "download"].findIndex(
        (part) => moduleId.includes(part),
      ) >>> 0;
    return [...files].sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** `NAME.long.test.ts` runs in `npm run test:long` only. */
const exclude = process.env["DUALROOT_LONG"] === "1" ? [] : ["**/*.long.test.ts"];

/** unit: seconds, no VM. disk: real tools, small VMs. conversion: whole gateways. power: what a cut leaves behind. dual: life on two slots. faults: longer ones, not in `npm test`. */
export default defineConfig({
  test: {
    reporters: ["default"],
    globalSetup: "test/setup/temporary-folder.ts",
    // A VM without KVM takes one core; a third one only makes all of them slower.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          // The longest take eight seconds on a busy machine. These limits are for what hangs.
          testTimeout: 2 * minutes,
          hookTimeout: 2 * minutes,
        },
      },
      {
        test: {
          name: "disk",
          exclude,
          include: ["test/disk/**/*.test.ts"],
          testTimeout: 10 * minutes,
          hookTimeout: 20 * minutes,
        },
      },
      {
        test: {
          name: "conversion",
          exclude,
          include: ["test/conversion/**/*.test.ts"],
          testTimeout: 30 * minutes,
          hookTimeout: 30 * minutes,
        },
      },
      {
        test: {
          name: "power",
          exclude,
          include: ["test/power/*.test.ts"],
          testTimeout: 30 * minutes,
          hookTimeout: 30 * minutes,
        },
      },
      {
        test: {
          name: "dual",
          exclude,
          include: ["test/dual/*.test.ts"],
          testTimeout: 30 * minutes,
          hookTimeout: 30 * minutes,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/power/faults/*.test.ts"],
          testTimeout: 60 * minutes,
          hookTimeout: 30 * minutes,
        },
      },
    ],
  },
});
