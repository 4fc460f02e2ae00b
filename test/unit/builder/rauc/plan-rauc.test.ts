import { describe, expect, it } from "vitest";
import { contradictions } from "../../../../builder/rauc/contradictions.ts";
import { planRauc } from "../../../../builder/rauc/plan-rauc.ts";
import type { RaucFacts } from "../../../../builder/rauc/rauc-facts.ts";
import { raucFiles } from "../../../../builder/rauc/rauc-files.ts";
import { systemConfig } from "../../../../builder/rauc/system-config.ts";
import { defaultVolumes } from "../../../../builder/release/default-layout.ts";
import { parseRelease } from "../../../../builder/release/parse-release.ts";
import { UserError } from "../../../../format/errors.ts";
import { MiB } from "../../../../format/sizes.ts";

const text = `name: demo
version: "2026.11"
compatible: demo-gateway
counter: 1
sign: { key: keys/release.key }
trustedKeys: [keys/release.pub]
rootfs: { source: rootfs.tar }
rauc:
  keyring: rauc/keyring.pem
  bundle: { certificate: rauc/release.pem, key: rauc/release.key }
`;
const release = parseRelease(text, "release.yaml", "/releases");
const facts: RaucFacts = {
  installed: true,
  ownKeyring: false,
  missingModules: [],
  keyring: "PEM",
  trusts: ["O=Demo, CN=Authority"],
};

function codesOf(yaml: string): string[] {
  try {
    parseRelease(yaml, "release.yaml", "/releases");
  } catch (error) {
    if (error instanceof UserError) return error.problems.map(({ code }) => code);
    throw error;
  }
  return [];
}

describe("RAUC's system.conf", () => {
  it("names both slots as the mount table does, our grubenv, and no plain bundles", () => {
    expect(systemConfig(release)).toBe(`# Written by dualroot build; see docs/rauc.md.
[system]
compatible=demo-gateway
bootloader=grub
grubenv=/boot/dualroot/grub/grubenv
data-directory=/data/rauc
bundle-formats=-plain

[keyring]
path=/etc/rauc/keyring.pem

[slot.rootfs.0]
device=/dev/mapper/VA-root_a
type=ext4
bootname=A

[slot.rootfs.1]
device=/dev/mapper/VA-root_b
type=ext4
bootname=B
`);
  });

  it("keeps RAUC's records in the slot where the layout has no /data", () => {
    const layout = {
      ...release.layout,
      volumes: release.layout.volumes.filter(({ mountPoint }) => mountPoint === "/"),
    };
    expect(systemConfig({ compatible: "x", layout })).toContain("data-directory=/var/lib/rauc\n");
  });
});

describe("what is laid into a slot for RAUC", () => {
  it("is configuration, keyring and a mask for the unit that would mark a slot good too early", () => {
    const files = raucFiles(planRauc(release, facts).plan);
    expect(files.map(({ path, type }) => [path, type])).toEqual([
      ["etc/rauc/system.conf", "file"],
      ["etc/rauc/keyring.pem", "file"],
      ["etc/systemd/system/rauc-mark-good.service", "link"],
    ]);
    expect(files[2]).toMatchObject({ target: "/dev/null" });
    expect(raucFiles(undefined)).toEqual([]);
  });

  it("leaves the release's own files alone", () => {
    const { plan, problems } = planRauc(release, {
      ...facts,
      ownConfig: systemConfig(release),
      ownKeyring: true,
    });
    expect(problems).toEqual([]);
    expect(raucFiles(plan).map(({ path }) => path)).toEqual(["etc/systemd/system/rauc-mark-good.service"]);
  });
});

describe("a system.conf of the release's own", () => {
  const expected = systemConfig(release);
  it.each([
    ["compatible=demo-gateway", "compatible=other", '[system] compatible is "other", not "demo-gateway"'],
    ["bootloader=grub", "", '[system] bootloader is missing, not "grub"'],
    [
      "dualroot/grub/grubenv",
      "grub/grubenv",
      '[system] grubenv is "/boot/grub/grubenv", not "/boot/dualroot/grub/grubenv"',
    ],
    ["/dev/mapper/VA-root_b", "/dev/VA/root_b", 'slot B is "/dev/VA/root_b", not "/dev/mapper/VA-root_b"'],
    ["bootname=A", "bootname=system0", 'no slot has bootname "A"'],
    ["type=ext4\nbootname=B", "bootname=B", 'slot B has type "raw", not "ext4"'],
  ])("is refused where %s is not as GRUB and the layout have it", (right, wrong, sentence) => {
    const own = expected.replace(right, wrong);
    expect(own).not.toBe(expected);
    expect(contradictions(own, expected)).toEqual([sentence]);
    expect(planRauc(release, { ...facts, ownConfig: own }).problems.map(({ code }) => code)).toEqual([
      "rauc-config-contradicts",
    ]);
  });

  it("may say more, in another order, with comments", () => {
    const own = `# ours\n[slot.app.0]\ndevice=/dev/mapper/VA-app\n\n${expected.replace("type=ext4", "type = ext4 ")}\n[handlers]\npre-install=/x\n`;
    expect(contradictions(own, expected)).toEqual([]);
  });
});

describe("a release with a rauc section", () => {
  it("has absolute paths, and leaves a PKCS#11 URI as it is", () => {
    expect(release.rauc).toEqual({
      keyringFile: "/releases/rauc/keyring.pem",
      bundle: {
        certificateFile: "/releases/rauc/release.pem",
        keyFile: "/releases/rauc/release.key",
        intermediateFiles: [],
      },
    });
    const token = parseRelease(
      text.replace("rauc/release.key", '"pkcs11:token=a"'),
      "release.yaml",
      "/releases",
    );
    expect(token.rauc?.bundle?.keyFile).toBe("pkcs11:token=a");
  });

  it("needs two root volumes with ext4", () => {
    const [a, b] = defaultVolumes;
    const withVolumes = (...volumes: object[]) =>
      `${text}layout: { volumes: ${JSON.stringify(volumes.map((volume) => ({ ...volume, size: "512 MiB" })))} }\n`;
    expect(a!.size).toBeGreaterThan(MiB);
    expect(codesOf(withVolumes(a!, b!))).toEqual([]);
    expect(codesOf(withVolumes(a!))).toEqual(["rauc-needs-slot"]);
    expect(codesOf(withVolumes(a!, { ...b!, filesystem: "xfs" }))).toEqual(["rauc-root-not-ext4"]);
    expect(codesOf(text.replace("demo-gateway", '" demo"'))).toEqual(["rauc-compatible-unsafe"]);
  });

  it("needs RAUC in the root filesystem and a kernel that mounts bundles", () => {
    const { problems } = planRauc(release, { ...facts, installed: false, missingModules: ["squashfs"] });
    expect(problems.map(({ code }) => code)).toEqual(["rauc-not-installed", "rauc-kernel-lacks"]);
  });
});
