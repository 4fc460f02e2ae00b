import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { publicKeyFingerprint } from "../identity/host/ssh-keys.ts";
import type { Session } from "../ramdisk/session.ts";
import { exists } from "../system/files.ts";
import { waitUntil } from "../system/wait-until.ts";
import { hostKeyTypes, type KnownSystem } from "./known-system.ts";
import { startDaemon, stopDaemon } from "./start-daemon.ts";
import { accountFiles, rescueAccounts, usualSshServer, type RescueAccount } from "./rescue-accounts.ts";

const folder = "/run/dualroot/ssh";
const homes = "/run/dualroot/home";
const pidFile = join(folder, "dropbear.pid");
const logKilobytes = 256;
const dayMs = 24 * 3600 * 1000;

/** Starts an ssh server that is the gateway's own by its keys, ports, people and passwords. Returns the lines for the message. */
export async function startSsh(session: Session, system: KnownSystem | undefined): Promise<string[]> {
  if (!system) return ["No ssh: nobody is known who may log in."];
  const { run } = session;
  const { identity } = system;
  const accounts = rescueAccounts(identity, Math.floor(Date.now() / dayMs));
  const { ports, passwordLogin } = identity.sshServer ?? usualSshServer;
  const people = accounts.filter(({ hash, home }) => hash !== "*" || system.authorizedKeys.has(home));
  if (people.length === 0) return ["No ssh: the gateway lets no administrator in with a password or a key."];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const keys = await makeHostKeys(session, system);
  await writeAccounts(people, system);
  await stopDaemon(run, pidFile);
  // Two files of this size at most, whatever guesses at passwords arrive.
  const logging = ["-O", "/run/dualroot/messages", "-s", String(logKilobytes), "-b", "1"];
  if (!(await exists("/dev/log"))) await startDaemon(run, "syslogd", logging).catch(() => {});
  const mayUsePassword = passwordLogin && people.some(({ hash }) => hash !== "*");
  await run("dropbear", [
    ...keys.files.flatMap((file) => ["-r", file]),
    ...ports.flatMap((port) => ["-p", String(port)]),
    "-P",
    pidFile,
    ...(mayUsePassword ? [] : ["-s"]),
  ]);
  const silent: number[] = [];
  for (const port of ports) if (!(await waitUntil(5, () => isListening(port)))) silent.push(port);
  return [
    `ssh: port ${ports.join(", ")}; ${people.map(({ name }) => name).join(", ")}${mayUsePassword ? "" : ", by key only"}; everybody is root here`,
    ...(silent.length > 0 ? [`ssh does NOT listen on port ${silent.join(", ")}`] : []),
    ...keys.lines,
  ];
}

/** The gateway's own, so that no client sees a stranger; each on its own, for one may be damaged. New ones when there is none. */
async function makeHostKeys(
  { run }: Session,
  { hostKeys }: KnownSystem,
): Promise<{ files: string[]; lines: string[] }> {
  const files: string[] = [];
  const lines: string[] = [];
  for (const type of hostKeyTypes) {
    const bytes = hostKeys.get(type);
    if (bytes === undefined) continue;
    const [source, target] = [join(folder, `${type}.openssh`), join(folder, `${type}.key`)];
    try {
      await writeFile(source, bytes, { mode: 0o600 });
      await run("dropbearconvert", ["openssh", "dropbear", source, target]);
      lines.push(`  ${await fingerprint(run, target)} (${type})`);
      files.push(target);
    } catch {
      lines.push(`  the gateway's ${type} host key is damaged, or of a kind that this server cannot use`);
    } finally {
      await rm(source, { force: true });
    }
  }
  if (files.length > 0) return { files, lines: ["The gateway's own host keys:", ...lines] };
  for (const type of ["ed25519", "ecdsa"]) {
    const target = join(folder, `${type}.key`);
    await rm(target, { force: true });
    await run("dropbearkey", ["-t", type, "-f", target]);
    files.push(target);
    lines.push(`  ${await fingerprint(run, target)} (${type})`);
  }
  return { files, lines: ["NEW host keys, for the gateway's own were not found:", ...lines] };
}

async function fingerprint(run: Session["run"], file: string): Promise<string> {
  const { stdout } = await run("dropbearkey", ["-y", "-f", file]);
  const line = stdout.split("\n").find((text) => /^(ssh|ecdsa)-/.test(text));
  const found = publicKeyFingerprint(line ?? "");
  if (found === undefined) throw new Error(`dropbearkey shows no public key of ${file}`);
  return found;
}

async function writeAccounts(
  people: readonly RescueAccount[],
  { authorizedKeys }: KnownSystem,
): Promise<void> {
  const { passwd, shadow } = accountFiles(people, homes);
  await mkdir(homes, { recursive: true, mode: 0o755 });
  await rm(homes, { recursive: true, force: true });
  for (const name of ["root", ...people.map((one) => one.name)])
    await mkdir(join(homes, name, ".ssh"), { recursive: true, mode: 0o700 });
  for (const { name, home } of people) {
    const text = authorizedKeys.get(home);
    if (text !== undefined) await writeFile(join(homes, name, ".ssh/authorized_keys"), text, { mode: 0o600 });
  }
  await writeFile("/etc/passwd", passwd);
  await rm("/etc/shadow", { force: true });
  await writeFile("/etc/shadow", shadow, { mode: 0o600 });
  await writeFile("/etc/shells", "/bin/sh\n");
}

/** The kernel's view: state 0A is LISTEN, the port stands in hexadecimal. */
async function isListening(port: number): Promise<boolean> {
  const wanted = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")} [0-9A-F]+:0000 0A `);
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"])
    if (wanted.test(await readFile(file, "utf8").catch(() => ""))) return true;
  return false;
}
