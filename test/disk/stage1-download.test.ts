import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { packageFiles } from "../../format/manifest.ts";
import { makeSmallPackage } from "./stage1-small-package.ts";

let scratch: string;
let packageFolder: string;
let alone: string;
let server: Server;
let address: string;
/** Range header of every request for the root filesystem. */
let ranges: (string | undefined)[];
let misbehave: "cut" | "no-ranges" | "endless" | undefined;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-download-"));
  packageFolder = join(scratch, "package");
  alone = join(scratch, "alone");
  await makeSmallPackage(packageFolder, scratch);
  mkdirSync(alone);
  copyFileSync(join(packageFolder, packageFiles.upgrade), join(alone, packageFiles.upgrade));
  return () => rmSync(scratch, { recursive: true });
});

beforeEach(async () => {
  ranges = [];
  misbehave = undefined;
  server = createServer((request, response) => {
    const name = basename(request.url ?? "");
    const path = join(packageFolder, request.url ?? "");
    if (!existsSync(path)) return response.writeHead(404).end();
    const bytes = readFileSync(path);
    const isRootfs = name === packageFiles.rootfs;
    if (isRootfs) ranges.push(request.headers.range);
    const asked =
      misbehave === "no-ranges" ? undefined : /^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1];
    const from = Number(asked ?? 0);
    if (isRootfs && misbehave === "endless") {
      response.writeHead(200);
      const block = Buffer.alloc(256 * 1024);
      const more = (): void => {
        while (response.write(block)) {
          // until the socket's buffer is full
        }
        response.once("drain", more);
      };
      return more();
    }
    const head =
      asked === undefined ? {} : { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(asked === undefined ? 200 : 206, { ...head, "content-length": bytes.length - from });
    const isCut =
      isRootfs &&
      (misbehave === "no-ranges" ? ranges.length === 1 : misbehave === "cut" && ranges.length < 4);
    if (!isCut) return response.end(bytes.subarray(from));
    response.write(bytes.subarray(from, from + 700_000), () => setTimeout(() => response.destroy(), 50));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A PATH with one way to download, whatever else the system has. */
function pathWith(tool: "curl" | "wget" | "python3"): string {
  const folder = join(scratch, `bin-${tool}`);
  if (existsSync(folder)) return folder;
  mkdirSync(folder);
  const commands = `sh uname id stat df awk head tail cut cat cp rm mkdir chmod mktemp sha256sum cpio gzip xz sleep ${tool}`;
  for (const command of commands.split(" ")) {
    const found = ["/usr/bin", "/bin", "/usr/local/bin"]
      .map((bin) => join(bin, command))
      .find((path) => existsSync(path));
    if (!found) throw new Error(`${command} is not installed`);
    symlinkSync(found, join(folder, command));
  }
  return folder;
}

/** With a /var/lib of its own, so that nothing is left on the machine that runs the tests. */
async function upgrade(
  args: readonly string[],
  path: string,
  keep = false,
): Promise<{ exitCode: number; output: string }> {
  const lib = join(scratch, "lib");
  if (!keep) rmSync(lib, { recursive: true, force: true });
  mkdirSync(lib, { recursive: true });
  const script = 'mount --bind "$1" /var/lib && PATH=$2 && export PATH && shift 2 && exec "$@"';
  const command = [
    "-m",
    "sh",
    "-c",
    script,
    "sh",
    lib,
    path,
    "/bin/dash",
    join(alone, packageFiles.upgrade),
    ...args,
  ];
  const child = spawn("unshare", command, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [exitCode] = (await once(child, "close")) as [number];
  return { exitCode, output };
}

const downloaded = (name: string): string => join(scratch, "lib/dualroot/download", name);

test.each(["curl", "wget", "python3"] as const)(
  "%s goes on where a broken connection stopped",
  async (tool) => {
    misbehave = "cut";
    const { exitCode, output } = await upgrade(["check", "--from", address, "--json"], pathWith(tool));
    expect(output).toContain('"command": "check"');
    expect([0, 4]).toContain(exitCode);
    expect(ranges).toEqual([undefined, "bytes=700000-", "bytes=1400000-", "bytes=2100000-"]);
    expect(readFileSync(downloaded(packageFiles.rootfs))).toEqual(
      readFileSync(join(packageFolder, packageFiles.rootfs)),
    );
    if (tool !== "curl") return; // what follows is the same for all
    // What is there is not fetched again, and the package is found there without --from.
    ranges = [];
    expect((await upgrade(["status"], pathWith(tool), true)).output).toContain("Not prepared");
    await upgrade(["check", `--from=${address}`], pathWith(tool), true);
    expect(ranges).toEqual([]);
    expect((await upgrade(["cancel"], pathWith(tool), true)).output).toContain(
      "the download in /var/lib/dualroot/download",
    );
    expect(existsSync(downloaded(""))).toBe(false);
  },
);

test.each(["curl", "wget", "python3"] as const)(
  "%s starts again where the server cannot resume",
  async (tool) => {
    misbehave = "no-ranges";
    const { exitCode } = await upgrade(["check", "--from", address], pathWith(tool));
    expect([0, 4]).toContain(exitCode);
    expect(ranges.length).toBeGreaterThan(1);
  },
);

test("a server that never ends does not fill the disk", async () => {
  misbehave = "endless";
  const { exitCode, output } = await upgrade(["check", "--from", address], pathWith("curl"));
  expect(exitCode).toBe(5);
  expect(output).toContain("code: download-failed");
  expect(ranges.length).toBeGreaterThan(1);
  const size = existsSync(downloaded(packageFiles.rootfs))
    ? statSync(downloaded(packageFiles.rootfs)).size
    : 0;
  expect(size).toBeLessThan(16 * 1024 * 1024);
});

test("a file that is not there", async () => {
  const { exitCode, output } = await upgrade(["check", "--from", `${address}elsewhere`], pathWith("curl"));
  expect(exitCode).toBe(5);
  expect(output).toContain("manifest.json could not be downloaded from");
});
