import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRun } from "../../agent/system/run.ts";
import { buildBundle } from "../../builder/rauc/build-bundle.ts";
import { checkSigner } from "../../builder/rauc/check-signer.ts";
import { raucPlaces } from "../../builder/rauc/rauc-places.ts";
import { systemConfig } from "../../builder/rauc/system-config.ts";
import { sha256Hex } from "../../format/digest.ts";
import { UserError } from "../../format/errors.ts";
import { silent } from "../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../format/grubenv.ts";
import {
  manifestName,
  manifestSchema,
  packageFiles,
  signatureName,
  type Manifest,
} from "../../format/manifest.ts";
import { buildFixturePackage } from "../fixtures/fixture-package.ts";
import { raucSigner, type RaucSignerFiles } from "../fixtures/rauc-signer.ts";

/** Debian's own RAUC, unpatched. What needs a gateway is in test/conversion/rauc.long.test.ts. */
const run = createRun(silent);
const scratch = mkdtempSync(join(tmpdir(), "dualroot-rauc-"));
const at = (name: string): string => join(scratch, name);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let signer: RaucSignerFiles;
let packageFolder: string;
let manifest: Manifest;
beforeAll(async () => {
  signer = await raucSigner();
  packageFolder = at("package");
  cpSync(await buildFixturePackage(), packageFolder, { recursive: true });
  manifest = manifestSchema.parse(JSON.parse(readFileSync(join(packageFolder, manifestName), "utf8")));
});

async function bundle(
  name: string,
  pair = { certificate: signer.certificate, key: signer.key },
): Promise<string> {
  await buildBundle(
    {
      packageFolder,
      manifest,
      signer: { certificateFile: pair.certificate, keyFile: pair.key, intermediateFiles: [] },
      keyringFile: signer.keyring,
      scratch: at(`${name}-content`),
    },
    at(name),
    run,
  );
  return at(name);
}

async function codesOf(work: Promise<unknown>): Promise<string[]> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error.problems.map(({ code }) => code);
  throw error ?? new Error("nothing was refused");
}

describe("a bundle", () => {
  test("is of format verity, signed, and contains the whole package byte for byte", async () => {
    const file = await bundle("good.raucb");
    const { stdout, stderr } = await run("rauc", [
      "info",
      `--keyring=${signer.keyring}`,
      "--output-format=json",
      file,
    ]);
    expect(stderr).toContain("Verified inline signature by 'O = Site Product, CN = Release 2026'");
    expect(JSON.parse(stdout)).toMatchObject({
      compatible: manifest.compatible,
      version: manifest.version,
      description: `${manifest.name} ${manifest.version} (counter ${manifest.counter})`,
      hooks: ["install-check"],
      images: [{ rootfs: { filename: "rootfs.tar.xz", hooks: ["install"] } }],
    });
    await run("unsquashfs", ["-quiet", "-no-progress", "-dest", at("content"), file]);
    for (const name of [...Object.values(packageFiles), manifestName, signatureName])
      expect(sha256Hex(readFileSync(join(scratch, "content", name))), name).toBe(
        sha256Hex(readFileSync(join(packageFolder, name))),
      );
    expect(statSync(join(scratch, "content/rauc-hook")).mode & 0o111).toBe(0o111);
    expect(readFileSync(join(scratch, "content/manifest.raucm"), "utf8")).toContain("format=verity");
  });

  test("has times of the release, and the same content when it is made again", async () => {
    const files = [await bundle("first.raucb"), await bundle("second.raucb")];
    const listings = await Promise.all(
      files.map(async (file) => (await run("unsquashfs", ["-lls", "-UTC", file])).stdout),
    );
    expect(listings[0]).toContain(new Date(manifest.sourceDateEpoch * 1000).toISOString().slice(0, 10));
    expect(listings[1]).toBe(listings[0]);
    const squashfsBytes = (await readFile(files[0]!)).readBigUInt64LE(40);
    const payloads = await Promise.all(
      files.map(async (file) => sha256Hex((await readFile(file)).subarray(0, Number(squashfsBytes)))),
    );
    expect(squashfsBytes).toBeGreaterThan(1_000_000n);
    expect(payloads[1]).toBe(payloads[0]);
  });

  test("is not left behind when the gateways would refuse it", async () => {
    expect(await codesOf(bundle("strange.raucb", signer.stranger))).toEqual(["rauc-bundle-not-trusted"]);
  });

  test("with one changed bit in its signed part is refused by RAUC", async () => {
    const file = await bundle("flipped.raucb");
    const bytes = readFileSync(file);
    // The CMS at the end carries the manifest with the root hash of everything before it.
    const digit = bytes.lastIndexOf("verity-hash=") + "verity-hash=".length;
    expect(digit).toBeGreaterThan(bytes.length - 4096);
    bytes[digit]! ^= 1;
    writeFileSync(file, bytes);
    await expect(run("rauc", ["info", `--keyring=${signer.keyring}`, file])).rejects.toThrow("exit code 1");
  });
});

describe("whoever signs it", () => {
  const rauc = (certificateFile: string, keyFile: string) => ({
    keyringFile: signer.keyring,
    bundle: { certificateFile, keyFile, intermediateFiles: [] },
  });
  test("is looked at before anything is built", async () => {
    expect(await codesOf(checkSigner({ keyringFile: signer.keyring }, run))).toEqual(["rauc-signer-missing"]);
    expect(await codesOf(checkSigner(undefined, run))).toEqual(["rauc-signer-missing"]);
    expect(await codesOf(checkSigner(rauc(signer.certificate, signer.stranger.key), run))).toEqual([
      "rauc-signer-invalid",
    ]);
    expect(await codesOf(checkSigner(rauc(at("none.pem"), signer.key), run))).toEqual([
      "rauc-signer-invalid",
    ]);
    await expect(checkSigner(rauc(signer.certificate, signer.key), run)).resolves.toMatchObject({
      keyFile: signer.key,
    });
  });
  test("cannot sign where rauc is not installed", async () => {
    const without = createRun(silent, { PATH: at("empty") });
    const shell: typeof run = (command, args, options) =>
      without(command === "sh" ? "/bin/sh" : command, args, options);
    expect(await codesOf(checkSigner(rauc(signer.certificate, signer.key), shell))).toEqual([
      "missing-tool",
      "missing-tool",
    ]);
  });
});

/** RAUC as a service on a bus of its own, with the configuration that a slot gets and our grub-editenv first in PATH, as in a slot. */
const script = String.raw`
export DBUS_STARTER_BUS_TYPE=session PATH="$1/bin:$PATH"
rauc --conf="$1/system.conf" --override-boot-slot=A service > "$1/service.log" 2>&1 &
service=$!
trap 'kill $service' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do busctl --user status de.pengutronix.rauc > /dev/null 2>&1 && break; sleep 0.5; done
n=0
note() { n=$((n + 1)); cp "$1/grubenv" "$1/grubenv.$n"; }
rauc status --output-format=json > "$1/status.json" || exit 11
rauc status mark-active other || exit 12; note "$1"
rauc status mark-bad other || exit 13; note "$1"
grub-editenv "$1/grubenv" set A_TRY=1
rauc status mark-good || exit 14; note "$1"
`;

test("RAUC reads and marks our slots with our grub-editenv, in place, and leaves what is not its own", async () => {
  const layout = {
    volumeGroup: "VA",
    volumes: ["a", "b"].map(rootVolume),
    biosBootBytes: 1,
    bootBytes: 1,
    extentBytes: 1,
  };
  const text = systemConfig({ compatible: "demo-gateway", layout })
    .replace(raucPlaces.grubenv, at("grubenv"))
    .replace(raucPlaces.keyring, signer.keyring)
    .replace("/var/lib/rauc", at("data"));
  writeFileSync(at("system.conf"), text);
  const before = encodeGrubenv(
    new Map([
      ["ORDER", "A B"],
      ["A_OK", "1"],
      ["A_TRY", "0"],
      ["B_OK", "0"],
      ["B_TRY", "0"],
      ["ours", "kept"],
    ]),
  );
  writeFileSync(at("grubenv"), before);
  const { ino } = statSync(at("grubenv"));
  await mkdir(at("bin"));
  const editenv = fileURLToPath(
    new URL("../../rootfs-overlay/usr/lib/dualroot/grub-editenv", import.meta.url),
  );
  symlinkSync(editenv, at("bin/grub-editenv"));
  await run("dbus-run-session", ["--", "sh", "-c", script, "sh", scratch], { timeoutSeconds: 60 });

  expect(JSON.parse(readFileSync(at("status.json"), "utf8"))).toMatchObject({
    compatible: "demo-gateway",
    booted: "A",
    boot_primary: "rootfs.0",
    slots: expect.arrayContaining([
      {
        "rootfs.0": expect.objectContaining({
          device: "/dev/mapper/VA-root_a",
          state: "booted",
          boot_status: "good",
        }),
      },
      {
        "rootfs.1": expect.objectContaining({
          device: "/dev/mapper/VA-root_b",
          state: "inactive",
          boot_status: "bad",
        }),
      },
    ]),
  });
  const marked = [1, 2, 3].map((n) =>
    Object.fromEntries(decodeGrubenv(readFileSync(at(`grubenv.${n}`))) ?? []),
  );
  expect(marked).toEqual([
    { ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0", ours: "kept" },
    { ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "0", B_TRY: "0", ours: "kept" },
    { ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "0", B_TRY: "0", ours: "kept" },
  ]);
  expect(statSync(at("grubenv"))).toMatchObject({ ino, size: 1024 });
});

function rootVolume(letter: string) {
  const slot = letter === "a" ? ("A" as const) : ("B" as const);
  return {
    name: `root_${letter}`,
    sizeBytes: 1,
    filesystem: "ext4" as const,
    mountPoint: "/",
    slot,
    growWeight: 0,
  };
}
