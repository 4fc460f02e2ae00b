import { writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { StepError } from "../../format/errors.ts";
import type { Identity } from "../../format/identity.ts";
import type { Session } from "../ramdisk/session.ts";
import type { Run } from "../system/run.ts";
import { startDaemon, stopDaemon } from "./start-daemon.ts";
import { planNetwork, type NetworkSetup } from "./network-commands.ts";
import { readCards } from "./read-cards.ts";

/** Every card gets what the gateway had on it; what fails is told and hinders nothing else. Returns the lines for the message. */
export async function startNetwork(session: Session, identity: Identity | undefined): Promise<string[]> {
  const { run } = session;
  const cards = await readCards();
  const setup = planNetwork(identity, cards);
  const notes = [...setup.notes];
  const attempt = async (what: readonly string[], action: () => Promise<unknown>): Promise<void> => {
    try {
      await action();
    } catch (error) {
      notes.push(`${what.join(" ")}: ${lastLine(error)}`);
    }
  };
  const tryRun = ([command = "", ...args]: readonly string[]): Promise<void> =>
    attempt([command, ...args], () => run(command, args, { timeoutSeconds: 20 }));
  if (identity?.hostname !== undefined) await writeFile("/proc/sys/kernel/hostname", identity.hostname);
  await writeFile("/etc/resolv.conf", resolverFile(setup));
  await tryRun(["ip", "link", "set", "lo", "up"]);
  for (const { commands } of setup.cards) for (const argv of commands) await tryRun(argv);
  const leased = setup.cards.filter(({ dhcp }) => dhcp);
  await Promise.all(
    leased.map(({ card }) => attempt(["DHCP on", card], () => askForLease(run, card, identity?.hostname))),
  );
  return [...addressLines(setup), ...notes];
}

/** It goes into the background with a lease, or after nine seconds without, and keeps asking. */
async function askForLease(run: Run, card: string, hostname: string | undefined): Promise<void> {
  const pidFile = `/run/dualroot/udhcpc.${card}.pid`;
  await stopDaemon(run, pidFile);
  const name = hostname === undefined ? [] : ["-x", `hostname:${hostname.split(".")[0]}`];
  await startDaemon(run, "udhcpc", ["-b", "-S", "-i", card, "-p", pidFile, ...name]);
}

function resolverFile({ resolver }: NetworkSetup): string {
  const search = resolver.searchDomains.length > 0 ? [`search ${resolver.searchDomains.join(" ")}`] : [];
  return [...search, ...resolver.servers.map((server) => `nameserver ${server}`), ""].join("\n");
}

/** What the kernel says now, which is what counts. */
function addressLines({ cards }: NetworkSetup): string[] {
  const live = networkInterfaces();
  return cards.map(({ card, oldName, addresses, dhcp }) => {
    const now = (live[card] ?? []).flatMap(({ cidr }) => (cidr && !/^fe80:/i.test(cidr) ? [cidr] : []));
    const absent = addresses.filter((address) => !now.includes(address));
    const called = oldName === undefined ? card : `${card} (was ${oldName})`;
    const pending = now.length === 0 && dhcp ? "no address yet, asking by DHCP" : "no address";
    return `${called}: ${now.join(", ") || pending}${absent.length > 0 ? `; MISSING ${absent.join(", ")}` : ""}`;
  });
}

function lastLine(error: unknown): string {
  const stderr = error instanceof StepError ? (error.stderrTail ?? "") : "";
  return stderr.trim().split("\n").at(-1) || (error instanceof Error ? error.message : String(error));
}
