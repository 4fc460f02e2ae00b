import { join } from "node:path";
import * as z from "zod";
import { exitCodes } from "../../format/errors.ts";
import { conversionReportSchema, type ConversionReport } from "../../format/report.ts";
import { exists, readTextIfExists } from "../system/files.ts";
import { readAttempt, readBootId } from "./attempt.ts";
import { isKexecLoaded } from "./boot/kexec.ts";
import { isGrubenvArmed } from "./boot/grubenv-file.ts";
import type { StageOneContext } from "./context.ts";
import { isDualSystem } from "./dual-system.ts";
import type { Places } from "./places.ts";
import { renderUpgrade } from "./render/install-lines.ts";
import { renderStatus } from "./render/status-lines.ts";
import { askSlotStatus, readUpgradeState } from "./status-install.ts";

/** What status tells of the file that stage 2 wrote; see docs/conventions.md. */
const systemSchema = z.object({
  slot: z.string(),
  name: z.string(),
  version: z.string(),
  oldSystem: z.boolean().optional(),
});

export type GatewayState =
  | { state: "not-prepared"; lastReport?: ConversionReport }
  /** The next reboot starts the ramdisk. */
  | { state: "armed"; release: string; bootMethod: "kexec" | "grub"; stash: "disk" | "ram" }
  /** convert was stopped before it had armed anything; the rest is in the way of nobody. */
  | { state: "unfinished"; release?: string }
  /** A rehearsal went through: the ramdisk booted, verified and planned, and came back. */
  | { state: "rehearsed"; release: string }
  /** The ramdisk gave up before its first write and said why. */
  | { state: "failed"; report: ConversionReport }
  /** The old system runs again, and the ramdisk left no word: it did not start, or was reset. */
  | { state: "no-report"; release: string; bootMethod: "kexec" | "grub" }
  | { state: "converted"; slot: string; name: string; version: string }
  /** The old system, kept by a conversion as slot B, runs. */
  | { state: "old-system"; slot: string; name: string; version: string };

/** What state this gateway is in, by what is really there. */
export async function status({ args, places, run, answer }: StageOneContext): Promise<number> {
  const state = await readGatewayState(places);
  if (!(await isDualSystem(places))) {
    answer({ command: "status", ...state }, renderStatus(state));
    return exitCodes.success;
  }
  const upgrade = await readUpgradeState(places);
  const slots = await askSlotStatus(run, args.json);
  answer({ command: "status", ...state, slots: args.json && slots ? parseJson(slots) : undefined, upgrade }, [
    ...renderStatus(state),
    ...(upgrade ? renderUpgrade(upgrade) : []),
    ...(slots === undefined ? [] : ["", ...slots.trimEnd().split("\n")]),
  ]);
  return exitCodes.success;
}

export async function readGatewayState(places: Places): Promise<GatewayState> {
  const converted = await readConverted(places);
  if (converted) return converted;
  const report = await readReport(places.report);
  const attempt = await readAttempt(places);
  if (!attempt) {
    if (await exists(places.stash)) return report ? { state: "failed", report } : { state: "unfinished" };
    return { state: "not-prepared", ...(report ? { lastReport: report } : {}) };
  }
  const { release, bootMethod } = attempt;
  const sameBoot = attempt.bootId === (await readBootId());
  const armed =
    bootMethod === "grub"
      ? (await isArmed(places, "grub2")) || (await isArmed(places, "grub"))
      : sameBoot && (await isKexecLoaded());
  if (armed) return { state: "armed", release, bootMethod, stash: attempt.stash ?? "ram" };
  if (sameBoot || attempt.state === "preparing") return { state: "unfinished", release };
  if (attempt.rehearse && report?.problems.length === 0) return { state: "rehearsed", release };
  // convert removes the report of an earlier attempt, so this one is the attempt's own.
  return report ? { state: "failed", report } : { state: "no-report", release, bootMethod };
}

async function isArmed(places: Places, folder: "grub" | "grub2"): Promise<boolean> {
  return isGrubenvArmed(join(places.root, "boot", folder, "grubenv"));
}

async function readReport(path: string): Promise<ConversionReport | undefined> {
  const parsed = conversionReportSchema.safeParse(await readJson(path));
  return parsed.success ? parsed.data : undefined;
}

async function readConverted(places: Places): Promise<GatewayState | undefined> {
  const parsed = systemSchema.safeParse(await readJson(join(places.root, "/etc/dualroot/system.json")));
  if (!parsed.success) return undefined;
  const { oldSystem, ...system } = parsed.data;
  return { state: oldSystem === true ? "old-system" : "converted", ...system };
}

async function readJson(path: string): Promise<unknown> {
  return parseJson((await readTextIfExists(path)) ?? "null");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
