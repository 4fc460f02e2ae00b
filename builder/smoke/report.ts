import * as z from "zod";
import { conversionReportSchema } from "../../format/report.ts";

export const smokeReportSchema = z.object({
  format: z.literal(1),
  /** `converted` only when every check below holds; `refused` when stage 1 said no; else `failed`. */
  outcome: z.enum(["converted", "refused", "failed"]),
  /** Name and version of the release. */
  release: z.string(),
  gateway: z.string(),
  accelerator: z.enum(["kvm", "tcg"]),
  bootMethod: z.enum(["auto", "kexec", "grub"]),
  /** Why it is not `converted`, a sentence each. */
  problems: z.array(z.string()),
  stages: z.array(
    z.object({ name: z.string(), seconds: z.number(), outcome: z.enum(["finished", "failed"]) }),
  ),
  /** From the old system's last line on the console to the new system's login prompt. */
  downtimeSeconds: z.number().optional(),
  /** `accepted`: differs, and the conversion's report says why. */
  identity: z.array(
    z.object({
      item: z.string(),
      old: z.string(),
      new: z.string(),
      equal: z.boolean(),
      accepted: z.string().optional(),
    }),
  ),
  layout: z.array(z.object({ item: z.string(), value: z.string(), holds: z.boolean() })),
  ramdisk: z.object({ peakMiB: z.number(), totalMiB: z.number() }).optional(),
  /** The report that stage 2 left on the gateway. */
  conversion: conversionReportSchema.optional(),
  /** File names in the same folder. */
  screenshots: z.array(z.string()),
});

export type SmokeReport = z.infer<typeof smokeReportSchema>;
export type IdentityItem = SmokeReport["identity"][number];
export type LayoutItem = SmokeReport["layout"][number];
