import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fillUpgradeScript } from "../../../../builder/package/upgrade-script.ts";
import { InternalError } from "../../../../format/errors.ts";

const digest = "a".repeat(64);
const values = {
  releaseName: "it's $HOME `id`",
  releaseVersion: "2026.11",
  files: [{ name: "rootfs.tar.xz" as const, size: 4711, sha256: digest }],
  runtimeSegments: [{ offset: 0, bytes: 100, compression: "gzip", sha256: digest }],
  runtimeUnpackedBytes: 4096,
};
const words = "@RELEASE_VERSION@ @PACKAGE_FILES@ @RUNTIME_SEGMENTS@ @RUNTIME_UNPACKED_BYTES@";

describe("upgrade.sh", () => {
  it("takes any release name as one harmless word of shell", () => {
    const script = fillUpgradeScript(`printf %s @RELEASE_NAME@\n: <<'END'\n${words}\nEND\n`, values);
    expect(execFileSync("sh", ["-c", script], { encoding: "utf8" })).toBe(values.releaseName);
  });

  it("is filled completely, and is shell", () => {
    const template = readFileSync(
      new URL("../../../../agent/stage1/upgrade.sh.template", import.meta.url),
      "utf8",
    );
    const script = fillUpgradeScript(template, values);
    expect(script).toContain(`\nrootfs.tar.xz 4711 ${digest}\n`);
    expect(script).toContain(`\n0 100 gzip ${digest}\n`);
    expect(script).not.toMatch(/@[A-Z_]+@/);
    execFileSync("sh", ["-n"], { input: script });
  });

  it("is our bug when template and builder disagree about the words", () => {
    expect(() => fillUpgradeScript(`@RELEASE_NAME@ ${words} @NEW_WORD@`, values)).toThrow(InternalError);
    expect(() => fillUpgradeScript(words, values)).toThrow("does not use RELEASE_NAME");
  });
});
