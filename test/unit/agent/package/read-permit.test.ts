import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { judgeCounter } from "../../../../agent/checks/counter.ts";
import { readPermit } from "../../../../agent/package/read-permit.ts";
import { encodePermit, signPermit } from "../../../../format/permit.ts";
import { signManifest, type Signature } from "../../../../format/signature.ts";
import { exampleManifest } from "../example.ts";
import { keyPair } from "./key-pair.ts";

const release = keyPair("release");
const development = keyPair("dev");
const stranger = keyPair("release");
const pinned = [release.trusted, development.trusted];

const manifestSha256 = "5a".repeat(32);
const permitBytes = encodePermit({ format: 1, manifestSha256, release: "gateway-os 2.0.0" });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dualroot-permit-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function lay(permit: Uint8Array | string, signature: Signature | string): void {
  writeFileSync(join(folder, "permit.json"), permit);
  const text = typeof signature === "string" ? signature : JSON.stringify(signature);
  writeFileSync(join(folder, "permit.json.sig"), text);
}

/** What an upgrade says about this permit on a gateway that has had counter 9; the package has 7. */
async function verdict(keys = pinned, of = manifestSha256): Promise<string> {
  const permit = await readPermit(folder, keys);
  const outcome = judgeCounter({
    manifest: exampleManifest(),
    manifestSha256: of,
    counterFloor: 9,
    permit,
  });
  if (outcome === undefined) return "no answer";
  return typeof outcome === "string"
    ? outcome
    : outcome.map(({ code, verdict, message }) => `${verdict} ${code}: ${message}`).join("\n");
}

test("without one the package is refused with both numbers, with one it passes", async () => {
  expect(await verdict()).toBe(
    "fail counter-too-low: The counter of gateway-os 2.0.0 is 7, and this gateway has had a release with 9: older releases are refused.",
  );
  lay(permitBytes, signPermit(permitBytes, release.privateKey));
  expect(await readPermit(folder, pinned)).toEqual({ manifestSha256, keyId: release.trusted.keyId });
  expect(await verdict()).toBe(`7 is below 9, which key ${release.trusted.keyId} permits for this package`);
});

test("a permit is asked for only below the floor; where nothing was committed there is none", () => {
  const question = { manifest: exampleManifest(), manifestSha256, permit: { fault: "damaged" } };
  expect(judgeCounter({ ...question, counterFloor: 7 })).toBe("7, this gateway asks for 7 or more");
  expect(judgeCounter(question)).toBe("7; nothing was committed here yet");
});

test("only a release key may sign it; a development key where no release key is pinned", async () => {
  lay(permitBytes, signPermit(permitBytes, development.privateKey));
  expect(await verdict()).toMatch(/^fail permit-invalid: .*signed with a development key/);
  expect(await verdict([development.trusted])).toContain("permits for this package");
  lay(permitBytes, signPermit(permitBytes, stranger.privateKey));
  expect(await verdict()).toMatch(/^fail permit-invalid: .*does not trust/);
  lay(permitBytes, {
    ...signPermit(permitBytes, stranger.privateKey),
    keyId: release.trusted.keyId,
  });
  expect(await verdict()).toMatch(/^fail permit-invalid: .*does not fit/);
});

test("for another package, or signed as something else than a permit: refused", async () => {
  lay(permitBytes, signPermit(permitBytes, release.privateKey));
  expect(await verdict(pinned, "a5".repeat(32))).toMatch(/^fail permit-invalid: .*for another package\.$/);
  // The same bytes in the manifest's context: a manifest's signature must never do for a permit.
  lay(permitBytes, signManifest(permitBytes, release.privateKey));
  expect(await verdict()).toMatch(/^fail permit-invalid: .*does not fit/);
});

test("every changed byte is noticed, and nothing that is no permit throws", async () => {
  const signature = signPermit(permitBytes, release.privateKey);
  for (let index = 0; index < permitBytes.length; index++) {
    const changed = Buffer.from(permitBytes);
    changed[index]! ^= 1;
    lay(changed, signature);
    expect(await readPermit(folder, pinned)).toHaveProperty("fault");
  }
  for (const damaged of ["", "{}", "\0", "[1]", `${JSON.stringify(signature)}x`, "x".repeat(5000)]) {
    lay(permitBytes, damaged);
    expect(await readPermit(folder, pinned)).toHaveProperty("fault");
  }
  lay("x".repeat(5000), signature);
  expect(await readPermit(folder, pinned)).toEqual({ fault: "it is larger than 4096 bytes" });
  rmSync(join(folder, "permit.json.sig"));
  lay(permitBytes, signature);
  rmSync(join(folder, "permit.json.sig"));
  expect(await readPermit(folder, pinned)).toEqual({ fault: "it is not signed: permit.json.sig is missing" });
  rmSync(join(folder, "permit.json"));
  mkdirSync(join(folder, "permit.json"));
  expect(await readPermit(folder, pinned)).toHaveProperty("fault");
});

test.each([
  ["another format", { format: 2, manifestSha256, release: "" }],
  ["an unknown key", { format: 1, manifestSha256, release: "", forever: true }],
  ["no digest", { format: 1, release: "" }],
  ["a list", []],
])("soundly signed, but %s: refused", async (_, value) => {
  const bytes = Buffer.from(JSON.stringify(value));
  lay(bytes, signPermit(bytes, release.privateKey));
  expect(await verdict()).toMatch(/^fail permit-invalid: .*no permit that this agent can read/);
});
