import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { capturePreserved } from "../../../../agent/identity/capture.ts";
import { fromStash, readKeys } from "../../../../agent/rescue/known-system.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { identitySchema } from "../../../../format/identity.ts";

let folder: string;
const run = createRun(silent);
const identity = identitySchema.parse({
  format: 1,
  hosts: [],
  interfaces: [],
  dns: { servers: [], searchDomains: [] },
  users: [
    { name: "root", uid: 0, gid: 0, comment: "", home: "/root", shell: "/bin/sh" },
    { name: "alice", uid: 1000, gid: 1000, comment: "", home: "/home/alice", shell: "/bin/sh" },
    { name: "odd", uid: 1001, gid: 1001, comment: "", home: "/", shell: "/bin/sh" },
  ],
  groups: [],
  administrators: ["alice"],
  networkSource: "ifcfg",
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-known-"));
  const root = join(folder, "root");
  const files = {
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n",
    "etc/ssh/ssh_host_rsa_key": "rsa private",
    "etc/ssh/ssh_host_rsa_key.pub": "ssh-rsa AAAA",
    "home/alice/.ssh/authorized_keys": "ssh-ed25519 AAAA alice",
    "home/alice/.ssh/authorized_keys2": "ssh-ed25519 BBBB alice",
    "data/large": "x".repeat(100_000),
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), content);
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("what stage 1 preserved is enough, and only keys are unpacked", async () => {
  const preservedTar = join(folder, "preserved.tar");
  await capturePreserved({ root: join(folder, "root"), paths: ["/data"], output: preservedTar, run });
  const unpacked: string[] = [];
  const looking: typeof run = async (...args) => {
    const result = await run(...args);
    unpacked.push(...(await readdir(join(folder, "keys"), { recursive: true })));
    return result;
  };
  const system = await fromStash({ run: looking }, identity, preservedTar, join(folder, "keys"));
  expect(Object.fromEntries(system.hostKeys)).toEqual({ rsa: Buffer.from("rsa private") });
  expect([...system.authorizedKeys]).toEqual([
    ["/home/alice", "ssh-ed25519 AAAA alice\nssh-ed25519 BBBB alice\n"],
  ]);
  expect(unpacked).toContain("etc/ssh/ssh_host_rsa_key");
  expect(unpacked.join()).not.toContain("large");
  expect(await readdir(folder)).not.toContain("keys"); // private keys stay nowhere
});

test("a link leads nowhere outside, and a key that is too large is none", async () => {
  const root = join(folder, "root");
  await writeFile(join(folder, "secret"), "secret");
  await symlink(join(folder, "secret"), join(root, "etc/ssh/ssh_host_ed25519_key"));
  await writeFile(join(root, "etc/ssh/ssh_host_rsa_key"), "x".repeat(70_000));
  expect((await readKeys(root, identity)).hostKeys.size).toBe(0);
});
