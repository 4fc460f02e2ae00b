import { spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "dualroot-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = fileURLToPath(new URL("../../../builder/dualroot.mjs", import.meta.url));
const facts = fileURLToPath(new URL("../../golden/plan/facts/", import.meta.url));

function dualroot(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("the dualroot command", () => {
  it("explains itself, with examples", () => {
    expect(dualroot("--help")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/build.*plan.*inspect.*verify.*keygen.*permit.*smoke/s),
    });
    for (const command of ["build", "smoke"]) {
      expect(dualroot(command, "--help")).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`Example`),
      });
    }
  });

  it.each([
    [["biuld", "release.yaml"], "Did you mean build?"],
    [["build", "release.yaml", "-o", "x", "--jsno"], "Did you mean --json?"],
    [["build", "release.yaml"], "--output"],
    [["keygen", "keys", "--role", "boss"], "Allowed choices are release, dev"],
    [["plan"], "missing required argument"],
  ])("refuses %j with exit code 2", (args, message) => {
    expect(dualroot(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
  });

  it("makes keys for their owner only, and never overwrites one", () => {
    expect(dualroot("keygen", "keys", "--role", "dev").status).toBe(0);
    const pem = readFileSync(join(folder, "keys/dev.key"), "utf8");
    expect(statSync(join(folder, "keys/dev.key")).mode & 0o777).toBe(0o600);
    expect(createPrivateKey(pem).asymmetricKeyType).toBe("ed25519");
    const again = dualroot("keygen", "keys", "--role", "dev", "--json");
    expect(again.status).toBe(3);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ok: false,
      exitCode: 3,
      problems: [{ code: "key-exists" }],
    });
    expect(readFileSync(join(folder, "keys/dev.key"), "utf8")).toBe(pem);
  });

  it("shows all problems of a release with file, line and column, and leaves nothing behind", () => {
    writeFileSync(join(folder, "bad.yaml"), "name: demo\nversio: 1\ncounter: -1\n");
    const { status, stderr } = dualroot("build", "bad.yaml", "-o", "never");
    expect(status).toBe(3);
    expect(stderr).toContain('bad.yaml:2:1 versio: unknown key "versio"\n  Did you mean "version"?');
    expect(stderr).toContain("bad.yaml:3:10 counter:");
    expect(stderr).toContain('"rootfs" is missing');
    expect(() => statSync(join(folder, "never"))).toThrow("ENOENT");
  });

  it("does not touch an output folder that is no package", () => {
    dualroot("keygen", "output-keys", "--role", "release");
    mkdirSync(join(folder, "photos"));
    writeFileSync(join(folder, "photos/cat.jpg"), "meow");
    writeFileSync(
      join(folder, "release.yaml"),
      'name: a\nversion: "1"\ncompatible: c\ncounter: 0\nsign: { key: output-keys/release.key }\ntrustedKeys: [output-keys/release.pub]\nrootfs: { source: nowhere }\n',
    );
    expect(dualroot("build", "release.yaml", "-o", "photos")).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("output-not-package"),
    });
    expect(readFileSync(join(folder, "photos/cat.jpg"), "utf8")).toBe("meow");
    const missing = dualroot("build", "release.yaml", "-o", "fresh");
    expect(missing).toMatchObject({ status: 3, stderr: expect.stringContaining("rootfs-missing") });
    expect(() => statSync(join(folder, "fresh"))).toThrow("ENOENT");
  });

  it("says what goes together", () => {
    expect(dualroot("plan", "release.yaml", "--disk", join(facts, "centos.json"))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("disk-without-package"),
    });
    expect(dualroot("plan", "keys")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("disk-not-given"),
    });
    expect(dualroot("inspect", "keys")).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("manifest-missing"),
    });
  });
});
