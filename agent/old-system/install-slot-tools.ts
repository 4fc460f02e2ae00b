import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TargetWriter } from "../identity/restore/target-writer.ts";
import { isUnitEnabled } from "../identity/restore/systemd-units.ts";
import { renderExpected } from "../slot/render-expected.ts";
import { describeKeptSystem, encodeSystemFile } from "../slot/system-file.ts";
import { renderVolumesFile, volumesFile } from "../slot/volumes-file.ts";
import type { StepContext } from "../steps/step-context.ts";
import { readBounded } from "../system/files.ts";
import type { SlotRoot } from "./adapt-old-system.ts";
import { labelAs } from "./label-as.ts";

const toolMaxBytes = 1024 * 1024;
const library = "/usr/lib/dualroot";
/** What marks the slot good on every boot, shows its state, and leads back; from the new system's own files. */
const programs = [
  `${library}/grub-editenv`,
  `${library}/slots.sh`,
  `${library}/repair-grubenv`,
  `${library}/notice-fallback`,
  `${library}/health-checks.sh`,
  `${library}/health-gate`,
  "/usr/bin/dualroot-status",
  "/usr/sbin/dualroot-rollback",
];
const unit = "dualroot-health.service";
const unitSource = `/usr/lib/systemd/system/${unit}`;
/** /etc, because not every old system reads /usr/lib there. */
const unitPlace = `/etc/systemd/system/${unit}`;
const startLine = `${library}/health-gate </dev/null >/dev/null 2>&1 &`;

/** GRUB counts the slot's tries too: the old system gets what marks it good. Its other files stay as they were. */
export async function installSlotTools(
  slot: SlotRoot,
  writer: TargetWriter,
  context: StepContext,
): Promise<void> {
  const { run, manifest } = context;
  const installed: string[] = [];
  for (const path of programs) {
    const bytes = await readBounded(join(slot.target, path), toolMaxBytes);
    if (bytes === undefined) continue; // a release that left it out
    await writer.replace(path, bytes, 0o755);
    installed.push(path);
  }
  await labelAs(run, writer, "/usr/bin/env", [library, ...installed]);
  const settings = {
    "/etc/dualroot/system.json": encodeSystemFile(
      describeKeptSystem(manifest, slot.osName, slot.volumeGroup),
    ),
    [volumesFile]: renderVolumesFile(manifest.layout),
    "/etc/dualroot/expected.sh": renderExpected(context.identity),
    "/etc/dualroot/keys.json": await readFile(join(context.runtimeFolder, "usr/lib/dualroot/keys.json")),
  };
  for (const [path, content] of Object.entries(settings)) await writer.replace(path, content);
  await labelAs(run, writer, "/etc/fstab", ["/etc/dualroot", ...Object.keys(settings)]);
  await startOnEveryBoot(slot, writer, context);
}

async function startOnEveryBoot(slot: SlotRoot, writer: TargetWriter, { run }: StepContext): Promise<void> {
  const unitText = await readBounded(join(slot.target, unitSource), toolMaxBytes);
  const systemd = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"];
  const present = [];
  for (const path of systemd) if ((await writer.stat(path)) !== undefined) present.push(path);
  if (present.length > 0 && unitText) {
    await writer.replace(unitPlace, unitText);
    const link = `/etc/systemd/system/multi-user.target.wants/${unit}`;
    if (!(await isUnitEnabled(writer, unit))) await writer.link(link, unitPlace);
    await labelAs(run, writer, present[0]!.replace(/systemd$/, "system/multi-user.target"), [
      unitPlace,
      link,
    ]);
    return;
  }
  for (const path of ["/etc/rc.d/rc.local", "/etc/rc.local"]) {
    const text = await writer.readText(path);
    if (text === undefined) continue;
    await writer.write(path, addLine(text));
    return;
  }
  writer.notes.push(
    "The old system has neither systemd nor rc.local: nothing marks slot B good, and after three starts GRUB goes on to slot A.",
  );
}

/** Before the `exit 0` that Debian's ends with. Twice is once. */
function addLine(text: string): string {
  if (text.includes(startLine)) return text;
  const exit = text.search(/^exit 0\s*$/m);
  if (exit < 0) return `${text.replace(/\n*$/, "\n")}${startLine}\n`;
  return `${text.slice(0, exit)}${startLine}\n${text.slice(exit)}`;
}
