import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import { packageFiles } from "../../format/manifest.ts";
import { asOnLinux310 } from "./stage1-newer-system-calls.ts";
import { makeSmallPackage } from "./stage1-small-package.ts";

let scratch: string;
let packageFolder: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-stage1-"));
  packageFolder = join(scratch, "package of today");
  await makeSmallPackage(packageFolder, scratch);
  return () => rmSync(scratch, { recursive: true });
});

interface Outcome {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

interface How {
  shell?: readonly string[];
  folder?: string;
  path?: string;
  prefix?: readonly string[];
}

function upgrade(args: readonly string[], how: How = {}): Outcome {
  const script = join(how.folder ?? packageFolder, packageFiles.upgrade);
  const [command = "", ...words] = [...(how.prefix ?? []), ...(how.shell ?? ["/bin/dash"]), script, ...args];
  const { status, stdout, stderr } = spawnSync(command, words, {
    encoding: "utf8",
    env: { PATH: how.path ?? process.env["PATH"] ?? "", TERM: "dumb" },
    cwd: "/",
  });
  return { exitCode: status, stdout, stderr };
}

/** Words before a command that then sees a /var/lib of its own: nothing is left on the machine that runs the tests. */
function withOwnLib(): string[] {
  const lib = mkdtempSync(join(scratch, "lib-"));
  return ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /var/lib && shift && exec "$@"', "sh", lib];
}

/** A folder with everything of the package, cheap to damage. */
function copyOfPackage(name: string): string {
  const folder = join(scratch, name);
  cpSync(packageFolder, folder, { recursive: true });
  return folder;
}

/** Only the shape of the answer: what the checks say of this machine is not this test's matter. */
function verdicts({ stdout }: Outcome): string[] {
  const answer = JSON.parse(stdout) as {
    command: string;
    release: string;
    signedBy: { role: string; trustedBy: string };
    checks: { code: string; verdict: string }[];
  };
  expect(answer).toMatchObject({
    command: "check",
    release: "it's a demo 1",
    signedBy: { role: "dev", trustedBy: "package" },
  });
  return answer.checks.map(({ code, verdict }) => `${code} ${verdict}`);
}

function runtimesLeft(): string[] {
  return ["/var/tmp", "/var/lib", "/root", "/opt"].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith("dualroot-runtime.")),
  );
}

afterEach(() => expect(runtimesLeft()).toEqual([]));

/** What a minimal CentOS 7 has of the commands upgrade.sh names; curl comes with yum. */
const centosCommands = `sh uname id stat df awk head tail cut cat cp rm mkdir chmod mktemp sha256sum cpio gzip xz sleep curl`;

function centosPath(): string {
  const folder = join(scratch, "centos-bin");
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  for (const command of centosCommands.split(" ")) {
    const { stdout } = spawnSync("sh", ["-c", `command -v ${command}`], { encoding: "utf8" });
    symlinkSync(stdout.trim(), join(folder, command));
  }
  return folder;
}

test("check gives the same answer under every shell, and with only what CentOS 7 has", () => {
  const shells = [["/bin/dash"], ["/bin/bash", "--posix"], ["/bin/bash"], [join("/bin", "busybox"), "sh"]];
  const answers = shells.map((shell) => {
    const outcome = upgrade(["check", "--json"], { shell, path: centosPath() });
    expect(outcome.stderr).toBe("");
    expect([0, 4]).toContain(outcome.exitCode);
    return verdicts(outcome);
  });
  expect(answers[0]).toContain("root-user pass");
  expect(answers.slice(1)).toEqual([answers[0], answers[0], answers[0]]);
});

test("check gives the same answer where every system call newer than Linux 3.10 is missing", () => {
  const log = join(scratch, "strace.log");
  const outcome = upgrade(["check", "--json"], { prefix: ["strace", ...asOnLinux310(log)] });
  expect(verdicts(outcome)).toEqual(verdicts(upgrade(["check", "--json"])));
  const calls = readFileSync(log, "utf8").split("\n");
  const denied = (name: string): number =>
    calls.filter(
      (call) => call.includes(name) && call.includes("ENOSYS (Function not implemented) (INJECTED)"),
    ).length;
  // The loader of the bundled C library and Node do try the newer ones.
  expect(denied("rseq(") + denied("rseq resumed")).toBeGreaterThan(0);
  expect(denied("clone3") + denied("statx")).toBeGreaterThan(0);
  expect(calls.filter((call) => /\) += /.test(call) && !call.includes("(INJECTED)"))).toEqual([]);
});

test("status and cancel find nothing to tell or undo", () => {
  expect(upgrade(["status", "--json"], { prefix: withOwnLib() }).stdout).toContain('"state": "not-prepared"');
  expect(upgrade(["cancel"], { prefix: withOwnLib() })).toEqual({
    exitCode: 0,
    stdout: "There was nothing to undo.\n",
    stderr: "",
  });
});

test("a /var/tmp in memory is passed over", () => {
  const script = `mount -t tmpfs none /var/tmp && mkdir "$1/lib" && mount --bind "$1/lib" /var/lib && shift && "$@"
    echo "left: $(ls -A /var/tmp /var/lib)"`;
  const outcome = upgrade(["status"], { prefix: ["unshare", "-m", "sh", "-c", script, "sh", scratch] });
  expect(outcome.stderr).toBe("");
  expect(outcome.stdout).toMatch(/^Not prepared: [^]*left: \/var\/lib:\n\n\/var\/tmp:\n$/);
});

test.each<[string, string[], How, number, string]>([
  ["not root", ["check"], { prefix: ["setpriv", "--reuid=65534", "--clear-groups"] }, 4, "not-root"],
  ["no command", [], {}, 2, "Usage"],
  ["mistyped command", ["chek"], {}, 2, "Did you mean check?"],
  ["mistyped flag", ["convert", "--dryrun"], {}, 2, "Did you mean --dry-run?"],
  ["bad address", ["check", "--from", "ftp://x/"], {}, 2, "--from needs an http or https address"],
  ["address missing", ["check", "--from"], {}, 2, "--from needs an address"],
])("refused: %s", (_, args, how, exitCode, words) => {
  if (how.prefix) spawnSync("chmod", ["-R", "a+rX", scratch]);
  const outcome = upgrade(args, how);
  expect(outcome.exitCode).toBe(exitCode);
  expect(outcome.stderr).toContain(words === "Usage" ? "sh upgrade.sh check" : words);
  expect(outcome.stdout).toBe("");
});

test("a missing tool is named", () => {
  const poor = join(scratch, "poor-bin");
  cpSync(centosPath(), poor, { recursive: true, verbatimSymlinks: true });
  rmSync(join(poor, "cpio"));
  const outcome = upgrade(["check"], { path: poor });
  expect(outcome).toMatchObject({ exitCode: 4, stdout: "" });
  expect(outcome.stderr).toContain("this system has no cpio");
});

test("a package without its ramdisk, with a truncated one, or with one changed bit is refused", () => {
  const folder = copyOfPackage("damaged");
  const image = join(folder, packageFiles.ramdisk);
  const bytes = readFileSync(image);
  truncateSync(image, Math.floor(bytes.length / 3));
  expect(upgrade(["check"], { folder })).toMatchObject({
    exitCode: 6,
    stderr: expect.stringContaining("code: runtime-damaged") as string,
  });
  bytes[1000]! ^= 1;
  writeFileSync(image, bytes);
  expect(upgrade(["check"], { folder }).stderr).toContain("code: runtime-damaged");
  rmSync(image);
  expect(upgrade(["check"], { folder })).toMatchObject({
    exitCode: 6,
    stderr: expect.stringContaining("code: file-missing") as string,
  });
});

test("a changed bit outside the runtime is the agent's to find", () => {
  const folder = copyOfPackage("flipped");
  const rootfs = join(folder, packageFiles.rootfs);
  const bytes = readFileSync(rootfs);
  bytes[2_000_000]! ^= 1;
  writeFileSync(rootfs, bytes);
  const outcome = upgrade(["check", "--json"], { folder });
  expect(outcome.exitCode).toBe(6);
  expect(JSON.parse(outcome.stdout)).toMatchObject({
    outcome: "refused",
    problems: [{ code: "file-mismatch" }],
  });
});

test("a gateway with keys of its own trusts no others", () => {
  const keys = join(scratch, "etc-dualroot");
  mkdirSync(keys);
  const stranger = { keyId: "0123456789abcdef", role: "release", publicKey: `${"A".repeat(43)}=` };
  writeFileSync(join(keys, "keys.json"), JSON.stringify({ format: 1, keys: [stranger] }));
  const script = `mkdir -p "$1/etc" && cp -a /etc/. "$1/etc/" &&
    mkdir -p "$1/etc/dualroot" && cp "$1/etc-dualroot/keys.json" "$1/etc/dualroot/" && mount --bind "$1/etc" /etc &&
    shift && exec "$@"`;
  const outcome = upgrade(["check"], { prefix: ["unshare", "-m", "sh", "-c", script, "sh", scratch] });
  expect(outcome.exitCode).toBe(6);
  expect(outcome.stderr).toContain("this gateway trusts 0123456789abcdef");
});

test("of two upgrades at once one is refused", async () => {
  const holder = spawn(process.execPath, [
    "-e",
    'require("net").createServer().listen("\\0dualroot-stage1", () => console.log("locked"))',
  ]);
  await once(holder.stdout, "data");
  try {
    for (const command of [["convert", "--yes"], ["cancel"]]) {
      const outcome = upgrade(command, { prefix: withOwnLib() });
      expect(outcome.exitCode).toBe(7);
      expect(outcome.stderr).toContain("Another upgrade is running on this gateway.");
    }
  } finally {
    holder.kill();
  }
});

test("upgrade.sh says how to use it without unpacking anything", () => {
  const folder = join(scratch, "alone");
  mkdirSync(folder);
  copyFileSync(join(packageFolder, packageFiles.upgrade), join(folder, packageFiles.upgrade));
  const outcome = upgrade(["--help"], { folder });
  expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
  expect(outcome.stdout).toContain("Upgrade to it's a demo 1.");
});

test("shellcheck has nothing to say about the finished script", () => {
  const { stdout } = spawnSync("shellcheck", ["-s", "sh", join(packageFolder, packageFiles.upgrade)], {
    encoding: "utf8",
  });
  expect(stdout).toBe("");
});
