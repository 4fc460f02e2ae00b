import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "../../agent/system/run.ts";
import { mediaFolder } from "../../builder/smoke/old-system.ts";
import type { SerialConsole } from "../../builder/vm/serial-console.ts";
import { silent } from "../../format/events.ts";
import { openGateway } from "../conversion/gateway-session.ts";
import { convertedGateway } from "../fixtures/converted-gateway.ts";
import { buildRaucPackage } from "../fixtures/fixture-package.ts";
import { raucSigner } from "../fixtures/rauc-signer.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";
import { stockBundle } from "./stock-bundle.ts";

const limitSeconds = 1500;

/**
 * An online upgrade of a converted Debian gateway with two processors against Debian's RAUC, which unpacks the same archive into
 * the same volume, in the same running machine. Ours also carries the identity and reads everything back.
 */
export async function benchUpgrade(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-bench-"));
  try {
    const gateway = await convertedGateway("ext4", await buildRaucPackage("2026.11", 7));
    const packageFolder = await buildRaucPackage("2026.12", 8);
    const stock = await stockBundle(packageFolder, await raucSigner(), folder, createRun(silent));
    const others = [stock, `${packageFolder}.raucb`];
    const session = await openGateway("bench-upgrade", gateway, packageFolder, { others, cpus: 2 });
    try {
      const { console } = session.machine;
      await settle(console);
      const peer = await seconds(console, `rauc install ${mediaFolder}/stock.raucb`);
      const ours = await seconds(console, `sh ${mediaFolder}/package/upgrade.sh install --yes`);
      const together = await seconds(console, `rauc install ${mediaFolder}/package.raucb`);
      return [
        benchRow("upgrade: install, against rauc install of the same archive", ours, peer, 1, "s"),
        benchRow(
          "upgrade: rauc install of our bundle, against one without our hook",
          together,
          peer,
          1.3,
          "s",
        ),
      ];
    } finally {
      await session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The gate has spoken, and nothing else starts any more. */
async function settle(console: SerialConsole): Promise<void> {
  const good = `grep -q '"state":"good"' /run/dualroot/health`;
  await console.run(`for try in $(seq 120); do ${good} 2>/dev/null && break; sleep 2; done`, 400);
  await console.run("timeout 120 systemctl is-system-running --wait; sleep 20", 200);
}

/** By the guest's clock, from cold caches to everything being on the disk. */
async function seconds(console: SerialConsole, command: string): Promise<number> {
  const begin = "sync; echo 3 >/proc/sys/vm/drop_caches; begin=$(date +%s%N)";
  const { output } = await console.run(
    `${begin}; ${command} && sync && echo "took $(($(date +%s%N) - begin))"`,
    limitSeconds,
  );
  const nanoseconds = /^took (\d+)$/m.exec(output)?.[1];
  if (nanoseconds === undefined) throw new Error(`${command} failed:\n${output}`);
  return Number(nanoseconds) / 1e9;
}
