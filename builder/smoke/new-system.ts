import { createHash } from "node:crypto";
import type { Run } from "../../agent/system/run.ts";
import { StepError } from "../../format/errors.ts";
import type { Manifest } from "../../format/manifest.ts";
import { conversionReportSchema, type ConversionReport } from "../../format/report.ts";
import { forwardPort } from "../vm/forward-port.ts";
import type { RunningMachine } from "../vm/launch.ts";
import type { SerialConsole } from "../vm/serial-console.ts";
import { judgeLayout } from "./judge-layout.ts";
import { mediaFolder } from "./old-system.ts";
import { parseItems } from "./parse-items.ts";
import type { LayoutItem } from "./report.ts";

/** Waits until the health gate has decided, released the stash, grown the volumes and ended, and systemd is done starting: both write to this very console. */
export async function waitForHealth(console: SerialConsole): Promise<void> {
  const decided = `grep -q '"state":"good"' /run/dualroot/health && grep -q -a '^A_TRY=0' /boot/dualroot/grub/grubenv && ! lvs --noheadings -o lv_name | grep -q -w stash && systemctl show -p SubState dualroot-health.service | grep -q exited`;
  await console.run(`for try in $(seq 120); do { ${decided}; } 2>/dev/null && break; sleep 2; done`, 400);
  await console.run("timeout 120 systemctl is-system-running --wait; sleep 2", 150);
}

/** Layout, boot state, units, and the report that stage 2 left on /data. */
export async function examine(
  console: SerialConsole,
  manifest: Manifest,
): Promise<{ layout: LayoutItem[]; conversion?: ConversionReport }> {
  const { output } = await console.run(`sh ${mediaFolder}/examine.sh`, 120);
  const seen = parseItems(output);
  const report = Buffer.from(seen.get("report") ?? "", "base64").toString("utf8");
  const layout = judgeLayout(seen, manifest);
  return {
    layout,
    ...(report === "" ? {} : { conversion: conversionReportSchema.parse(JSON.parse(report)) }),
  };
}

/** Asks sshd over the network for its Ed25519 key: reachable at the old address, and the key is the one it always had. */
export async function askSshd(run: Run, machine: RunningMachine, address: string): Promise<string> {
  const port = await forwardPort(machine.qmp, address, 22);
  const scan = await run("ssh-keyscan", ["-T", "20", "-t", "ed25519", "-p", String(port), "127.0.0.1"], {
    timeoutSeconds: 60,
    acceptExitCodes: [1],
    hint: "Install the package openssh-client.",
  });
  const key = /ssh-ed25519 (\S+)/.exec(scan.stdout)?.[1];
  if (key === undefined) throw new StepError(`sshd does not answer at ${address}.`);
  return `SHA256:${createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "")}`;
}
