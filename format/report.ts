import * as z from "zod";

export const outcomes = ["converted", "refused", "failed"] as const;

/** What every report tells of the work: what went wrong, what was done, and whether it is still the same box. */
export const reportedWork = {
  problems: z.array(
    z.object({ code: z.string(), message: z.string(), hint: z.string(), where: z.string().optional() }),
  ),
  steps: z.array(
    z.object({
      step: z.string(),
      title: z.string(),
      seconds: z.number(),
      outcome: z.enum(["finished", "failed"]),
    }),
  ),
  identity: z.array(z.object({ item: z.string(), old: z.string(), new: z.string(), equal: z.boolean() })),
};

/** report.json of a conversion: written by stage 2 to /data (success) or the old root (failure before the first write). */
export const conversionReportSchema = z.object({
  format: z.literal(1),
  outcome: z.enum(outcomes),
  /** Release name and version. */
  release: z.string(),
  ...reportedWork,
  /** Did anything reach the disk before it ended? */
  diskChanged: z.boolean(),
  /** Uids moved, names clashing, files not carried: sentences for people. */
  notes: z.array(z.string()),
  ramdisk: z
    .object({
      peakMiB: z.number(),
      totalMiB: z.number(),
      takenBy: z.record(z.string(), z.number()).optional(),
    })
    .optional(),
});

export type ConversionReport = z.infer<typeof conversionReportSchema>;
