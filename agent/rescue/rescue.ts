import { writeFile } from "node:fs/promises";
import type { Identity } from "../../format/identity.ts";
import { exitCodes } from "../../format/errors.ts";
import type { Session } from "../ramdisk/session.ts";
import { describeError } from "../render/describe-error.ts";
import { describeRescue } from "./describe-rescue.ts";
import { findInstalledSystem } from "./find-installed-system.ts";
import { fromStash, type KnownSystem } from "./known-system.ts";
import { startNetwork } from "./start-network.ts";
import { startSsh } from "./start-ssh.ts";

/** What the caller knows already; what is missing is looked for on the disks. */
export interface RescueKnowledge {
  /** Why the machine is here, a sentence each. */
  reason: readonly string[];
  identity?: Identity;
  /** The stash's preserved.tar, a file in memory: host keys and authorized keys. */
  preservedTar?: string;
}

/** Whoever is here decides when to leave: /init does not restart by itself while it exists. */
const stayFile = "/run/dualroot/stay";

/** Mode `rescue`: chosen in GRUB's menu, or no slot was left. */
export async function rescue(session: Session): Promise<number> {
  return rescueWith(session, {
    reason: [
      "GRUB came here because no slot could be booted any more, or because it was chosen in the menu.",
    ],
  });
}

/**
 * Comes up at the gateway's own address with its own ssh keys and passwords, says what can be done, and leaves the rest to
 * people. Changes no disk. Every part stands alone: what fails is told, and the others work.
 */
export async function rescueWith(session: Session, known: RescueKnowledge): Promise<number> {
  const { tell, run } = session;
  await writeFile(stayFile, "");
  tell("dualroot: rescue system.", ...known.reason);
  const attempt = async <T>(what: string, action: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await action();
    } catch (error) {
      tell(`dualroot: ${what}:`, ...describeError(error));
      return undefined;
    }
  };
  const found = await attempt("who this gateway is could not be found out", () => identify(session, known));
  const identity = found?.system.identity;
  const network = await attempt("the network could not be set up", () => startNetwork(session, identity));
  const ssh = await attempt("the ssh server could not be started", () => startSsh(session, found?.system));
  const disks = await attempt("the disks could not be listed", () =>
    run("blkid", [], { acceptExitCodes: [2] }),
  );
  const message = describeRescue({
    reason: known.reason,
    hostname: identity?.hostname,
    source: found?.source,
    network: network ?? [],
    ssh: ssh ?? [],
    disks: disks?.stdout.trimEnd().split("\n") ?? [],
    canConvertAgain: session.words.mode === "convert",
  });
  tell(...message.console);
  await attempt("the greeting could not be written", () =>
    writeFile("/etc/motd", `${message.greeting.join("\n")}\n`),
  );
  return exitCodes.success;
}

async function identify(
  session: Session,
  { identity, preservedTar }: RescueKnowledge,
): Promise<{ system: KnownSystem; source: string } | undefined> {
  if (identity) {
    const bare: KnownSystem = { identity, hostKeys: new Map(), authorizedKeys: new Map() };
    if (preservedTar === undefined) return { system: bare, source: "the stash" };
    try {
      return { system: await fromStash(session, identity, preservedTar), source: "the stash" };
    } catch (error) {
      session.tell("dualroot: the keys in the stash cannot be read:", ...describeError(error));
      return { system: bare, source: "the stash" };
    }
  }
  // In the middle of a conversion a slot may hold a release's own accounts and passwords, which are nobody's here.
  if (session.words.mode === "convert") return undefined;
  const found = await findInstalledSystem(session);
  return found && { system: found.system, source: found.device };
}
