import type { RunningMachine } from "../../builder/vm/launch.ts";
import type { TinyRelease } from "../power/systems/target-tree.ts";
import { runIn, waitForGood } from "./boot-tiny.ts";

export interface Upgraded {
  slot: "A" | "B";
  /** `sh upgrade.sh install`, with all services up. */
  onlineSeconds: number;
  /** From the moment the running slot lets go to the other one being well: the only time that services are down. */
  downSeconds: number;
  /** What upgrade.sh printed. */
  output: string;
}

export const installWords = "install --yes --allow-development-key";

/** Upgrades the running gateway as an operator would, restarts it, and waits until the other slot is well. */
export async function upgradeTiny(machine: RunningMachine, { version }: TinyRelease): Promise<Upgraded> {
  const begin = performance.now();
  const output = await runIn(machine, `sh /opt/${version}/upgrade.sh ${installWords}`, 1500);
  const onlineSeconds = (performance.now() - begin) / 1000;
  machine.console.type("systemctl reboot");
  await machine.console.waitFor(/TINY-(?:LEAVES|RESTARTS)/, 30);
  const down = performance.now();
  const slot = await waitForGood(machine, 900);
  return { slot, onlineSeconds, downSeconds: (performance.now() - down) / 1000, output };
}

/** What the gateway says of itself: slot, commit, and digests of its identity, its files and the other slot's. */
export async function askReport(machine: RunningMachine): Promise<Record<string, string>> {
  const text = await runIn(machine, "/usr/lib/tiny/report", 600);
  const line = text.split("\n").find((one) => one.startsWith("NEW-SYSTEM slot="));
  if (line === undefined) throw new Error(`the gateway does not say what it is:\n${text}`);
  return Object.fromEntries([...line.matchAll(/ (\w+)=(\S+)/g)].map(([, key, value]) => [key!, value!]));
}
