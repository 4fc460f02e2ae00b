import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { waitUntil } from "../../../agent/system/wait-until.ts";
import { debianKernel } from "../../fixtures/kernels.ts";

const program = fileURLToPath(new URL("../../../builder/dualroot.mjs", import.meta.url));
let scratch: string;
let disk: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-command-"));
  disk = join(scratch, "disk.img");
  writeFileSync(disk, "");
  truncateSync(disk, 32 * 1024 * 1024);
  mkdirSync(join(scratch, "tmp"));
  const kernel = await debianKernel("amd64");
  environment = { ...process.env, TMPDIR: join(scratch, "tmp"), DUALROOT_HELPER_KERNEL: kernel.image };
  return () => rmSync(scratch, { recursive: true });
});

/** Processes that have this test's disk on their command line: its machines. */
function machines(): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8");
      return words.startsWith("qemu-system") && words.includes(disk);
    } catch {
      return false;
    }
  });
}

/** What machines leave in the folder of temporary files; tsx keeps compiled sources there too. */
function temporaryFiles(): string[] {
  return readdirSync(environment["TMPDIR"]!).filter((name) => name.startsWith("dualroot"));
}

/** Resolves when the command in the machine has said that it runs. */
async function startSleeping() {
  const child = spawn(
    process.execPath,
    [program, "helper", "--disk", disk, "--", "sh", "-c", "echo running; sleep 3600"],
    { env: environment, stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  return child;
}

test("Ctrl-C ends the program and its machine, and no file is left", async () => {
  const child = await startSleeping();
  expect(machines()).toHaveLength(1);
  expect(temporaryFiles()).not.toEqual([]);
  child.kill("SIGINT");
  const [code] = await once(child, "exit");
  expect(code).toBe(130);
  expect(await waitUntil(30, async () => machines().length === 0)).toBe(true);
  expect(temporaryFiles()).toEqual([]);
});

test("a machine whose program was killed switches itself off", async () => {
  const child = await startSleeping();
  expect(machines()).toHaveLength(1);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await waitUntil(120, async () => machines().length === 0)).toBe(true);
});

test("output, input and exit code pass through; --json has them in one document", () => {
  const words = [program, "helper", "-i", "--json", "--disk", `${disk}:ro`, "--"];
  const command = ["sh", "-c", "cat; printf '\\377' >&2; exit 5"];
  let failure: unknown;
  try {
    execFileSync(process.execPath, [...words, ...command], {
      env: environment,
      input: "given",
      stdio: "pipe",
    });
  } catch (error) {
    failure = error;
  }
  const { status, stdout } = failure as { status: number; stdout: Buffer };
  expect(status).toBe(5);
  expect(JSON.parse(stdout.toString())).toMatchObject({
    ok: false,
    exitCode: 5,
    stdout: "given",
    stderrBase64: "/w==",
    helper: { devices: ["/dev/vda"], start: "restored" },
  });
});

test("-it leads a terminal to the command", async () => {
  const command = `${process.execPath} ${program} helper -it -- sh -c 'tty; stty size; read word; echo "got $word"; exit 6'`;
  // script(1) gives the program a terminal of its own, and hands on its exit code.
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: { ...environment, TERM: "linux" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let shown = "";
  child.stdout.on("data", (data: Buffer) => {
    // script's own terminal has no size.
    const isAsked = (text: string) => text.includes("24 80");
    const before = isAsked(shown);
    shown += data.toString();
    if (!before && isAsked(shown)) child.stdin.write("hello\n");
  });
  const [code] = (await once(child, "close")) as [number];
  expect(shown).toContain("/dev/hvc0");
  // Node's raw mode adds a carriage return to that of the machine's terminal.
  expect(shown).toMatch(/got hello\r*\n/);
  expect(code).toBe(6);
});
