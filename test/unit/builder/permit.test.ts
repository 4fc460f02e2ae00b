import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readPermit } from "../../../agent/package/read-permit.ts";
import { checkOutputFolder } from "../../../builder/package/package-folder.ts";
import { sha256Hex } from "../../../format/digest.ts";
import { trustedKeySchema } from "../../../format/signature.ts";
import { exampleManifest } from "../agent/example.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-permit-"));
afterAll(() => rmSync(folder, { recursive: true }));
const program = fileURLToPath(new URL("../../../builder/dualroot.mjs", import.meta.url));
const dualroot = (...args: string[]) =>
  spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });

const manifest = JSON.stringify(exampleManifest());
mkdirSync(join(folder, "package"));
writeFileSync(join(folder, "package/manifest.json"), manifest);
dualroot("keygen", "keys", "--role", "release");
const key = trustedKeySchema.parse(JSON.parse(readFileSync(join(folder, "keys/release.pub"), "utf8")));

test("writes what a gateway accepts, the same each time, beside the package or elsewhere", async () => {
  const answer = dualroot("permit", "package", "--key", "keys/release.key", "-o", "given", "--json");
  expect(answer).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(answer.stdout)).toEqual({
    ok: true,
    permitFile: "given/permit.json",
    signatureFile: "given/permit.json.sig",
    release: "gateway-os 2.0.0",
    manifestSha256: sha256Hex(manifest),
    keyId: key.keyId,
  });
  expect(readdirSync(join(folder, "given")).sort()).toEqual(["permit.json", "permit.json.sig"]);
  expect(await readPermit(join(folder, "given"), [key])).toEqual({
    manifestSha256: sha256Hex(manifest),
    keyId: key.keyId,
  });

  const beside = dualroot("permit", "package", "--key", "keys/release.key");
  expect(beside).toMatchObject({ status: 0, stdout: expect.stringContaining("gateway-os 2.0.0") });
  for (const name of ["permit.json", "permit.json.sig"])
    expect(readFileSync(join(folder, "package", name))).toEqual(readFileSync(join(folder, "given", name)));
  // A package with a permit beside it is still one that `build` may replace.
  await expect(checkOutputFolder(join(folder, "package"))).resolves.toBeUndefined();
});

test("needs a package and a private key, and says which is missing", () => {
  expect(dualroot("permit", "keys", "--key", "keys/release.key")).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("[manifest-missing]"),
  });
  expect(dualroot("permit", "package", "--key", "keys/release.pub")).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("[signing-key-invalid]"),
  });
  expect(dualroot("permit", "package")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--key"),
  });
  expect(dualroot("permit", "--help")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("Examples:"),
  });
});
