import * as z from "zod";
import { reportedWork } from "./report.ts";

/**
 * `running` while it runs, or when the power went then; `activated`: the other slot boots next; `adopted`: another program's slot
 * became this gateway's. Else the other slot is left as not bootable.
 */
export const upgradeOutcomes = ["running", "activated", "adopted", "failed", "interrupted"] as const;

/** upgrade-report.json: the last upgrade of a dual system. */
export const upgradeReportSchema = z.object({
  format: z.literal(1),
  outcome: z.enum(upgradeOutcomes),
  /** Name and version of the package, and of what ran meanwhile. */
  release: z.string(),
  from: z.string(),
  /** The slot that was written. */
  slot: z.enum(["A", "B"]),
  installedBy: z.enum(["upgrade", "rauc"]),
  /** UTC, ISO 8601. */
  started: z.string(),
  ended: z.string().optional(),
  /** The kernel's random id of the boot it ran in. */
  bootId: z.string(),
  ...reportedWork,
  notes: z.array(z.string()),
});

export type UpgradeReport = z.infer<typeof upgradeReportSchema>;
