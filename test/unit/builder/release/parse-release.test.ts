import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseRelease } from "../../../../builder/release/parse-release.ts";
import { releaseSchema } from "../../../../builder/release/release-schema.ts";
import { allowedKeys } from "../../../../builder/release/schema-at.ts";
import { UserError, type Problem } from "../../../../format/errors.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";

const minimal = `name: demo
version: "2026.11"
compatible: demo-gateway
counter: 1
sign: { key: keys/release.key }
trustedKeys: [keys/release.pub]
rootfs:
  source: rootfs.tar
`;

function problemsIn(text: string): readonly Problem[] {
  try {
    parseRelease(text, "release.yaml", "/releases");
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
  return [];
}

describe("a release description", () => {
  it("gets the defaults and absolute paths", () => {
    const release = parseRelease(minimal, "release.yaml", "/releases");
    expect(release.rootfs.source).toBe("/releases/rootfs.tar");
    expect(release.signingKeyFile).toBe("/releases/keys/release.key");
    expect(release.layout).toMatchObject({ biosBootBytes: 2 * MiB, bootBytes: GiB, volumeGroup: "VA" });
    expect(release.layout.volumes.map(({ name, sizeBytes, slot }) => [name, sizeBytes, slot])).toEqual([
      ["root_a", 3 * GiB, "A"],
      ["root_b", 3 * GiB, "B"],
      ["image", 512 * MiB, undefined],
      ["data", 512 * MiB, undefined],
    ]);
    expect(release.target).toEqual({ commandLine: "", network: "auto" });
  });

  it("names file, line, column and key of every problem at once", () => {
    const text = `${minimal}  overlai: x
counter2: 5
layout:
  bootSize: much
  volumes:
    - { name: root_a, size: 3 GiB, mountPoint: /, slot: A, filesystem: btrfs }
`;
    expect(problemsIn(text).map(({ code, where, hint }) => [code, where, hint])).toEqual([
      [
        "release-unknown-key",
        "release.yaml:9:3 rootfs.overlai",
        'Did you mean "overlay"? Allowed here: source, allowBackingFile, exclude, keep, overlay.',
      ],
      [
        "release-wrong-value",
        "release.yaml:12:13 layout.bootSize",
        "Allowed: a size such as 512 MiB, 1.5 GiB, 2G, or a number of bytes.",
      ],
      [
        "release-wrong-value",
        "release.yaml:14:72 layout.volumes[0].filesystem",
        "Allowed: one of ext4, xfs.",
      ],
      [
        "release-unknown-key",
        "release.yaml:10:1 counter2",
        expect.stringContaining('Did you mean "counter"?'),
      ],
    ]);
  });

  it("says what is missing and what has the wrong type", () => {
    const text = minimal.replace('"2026.11"', "2026.11").replace("counter: 1\n", "");
    expect(problemsIn(text).map(({ code, message }) => [code, message])).toEqual([
      ["release-wrong-type", "version: expected string, received number"],
      ["release-missing-key", '"counter" is missing'],
    ]);
  });

  it("says where YAML itself is broken", () => {
    expect(problemsIn("name: [a\nversion: x")[0]).toMatchObject({
      code: "release-not-yaml",
      where: expect.stringMatching(/^release\.yaml:\d+:\d+$/),
    });
    expect(problemsIn("")[0]?.code).toBe("release-wrong-type");
  });

  const layout = (volumes: string, rest = "") => `${minimal}layout:\n${rest}  volumes:\n${volumes}`;
  const a = "    - { name: root_a, size: 3 GiB, mountPoint: /, slot: A }\n";
  const cases: [string, string, string, string][] = [
    [
      "two volumes of one name",
      layout(`${a}    - { name: root_a, size: 1 GiB, mountPoint: /data }\n`),
      "volume-name-twice",
      "layout.volumes[1].name",
    ],
    [
      "two volumes at one place",
      layout(
        `${a}    - { name: x, size: 1 GiB, mountPoint: /data }\n    - { name: y, size: 1 GiB, mountPoint: /data }\n`,
      ),
      "mount-point-twice",
      "layout.volumes[2].mountPoint",
    ],
    [
      "a volume at the boot partition's place",
      layout(`${a}    - { name: x, size: 1 GiB, mountPoint: /boot/dualroot/x }\n`),
      "mount-point-reserved",
      "layout.volumes[1].mountPoint",
    ],
    [
      "an uneven size",
      layout(`${a}    - { name: x, size: 1073741825, mountPoint: /data }\n`),
      "volume-size-uneven",
      "layout.volumes[1].size",
    ],
    [
      "a volume too small for XFS",
      layout(`${a}    - { name: x, size: 64 MiB, mountPoint: /data, filesystem: xfs }\n`),
      "volume-too-small",
      "layout.volumes[1].size",
    ],
    [
      "a root without slot",
      layout(`${a}    - { name: x, size: 1 GiB, mountPoint: / }\n`),
      "slot-without-root",
      "layout.volumes[1]",
    ],
    [
      "no slot A",
      layout("    - { name: root_b, size: 3 GiB, mountPoint: /, slot: B }\n"),
      "slot-a-missing",
      "layout.volumes",
    ],
    [
      "two slots B",
      layout(
        `${a}    - { name: b, size: 3 GiB, mountPoint: /, slot: B }\n    - { name: c, size: 3 GiB, mountPoint: /, slot: B }\n`,
      ),
      "slot-twice",
      "layout.volumes",
    ],
    [
      "slots that grow differently",
      layout(`${a}    - { name: b, size: 3 GiB, mountPoint: /, slot: B, growWeight: 1 }\n`),
      "slot-weights-differ",
      "layout.volumes",
    ],
    [
      "volumes that do not fit",
      `${minimal}requirements: { disk: 8 GiB }\n`,
      "volumes-do-not-fit",
      "requirements.disk",
    ],
    ["an odd extent size", layout(a, "  extentSize: 3 MiB\n"), "extent-size-wrong", "layout.extentSize"],
    ["a tiny boot partition", layout(a, "  bootSize: 16 MiB\n"), "boot-size-wrong", "layout.bootSize"],
    [
      "words of ours on the command line",
      `${minimal}target: { commandLine: "quiet root=/dev/sda1" }\n`,
      "command-line-word-ours",
      "target.commandLine",
    ],
    [
      "a preserved path with ..",
      `${minimal}preserve: [/etc/app, /srv/../etc]\n`,
      "preserve-path-wrong",
      "preserve[1]",
    ],
  ];
  it.each(cases)("is refused for %s", (_, text, code, key) => {
    const found = problemsIn(text).find((problem) => problem.code === code);
    expect(found?.where).toMatch(/^release\.yaml:\d+:\d+ /);
    expect(found?.where?.split(" ")[1]).toBe(key);
  });

  it("may have a single root", () => {
    expect(problemsIn(layout("    - { name: root, size: 3 GiB, mountPoint: /, slot: A }\n"))).toEqual([]);
  });

  it("never throws anything but a UserError, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary", maxLength: 300 }),
          fc.jsonValue().map((value) => stringify(value)),
        ),
        (text) => {
          expect(problemsIn(text).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never throws anything but a UserError when one value of a good release is replaced", () => {
    const keys = [
      "name",
      "version",
      "compatible",
      "counter",
      "sign",
      "trustedKeys",
      "rootfs",
      "kernel",
      "target",
      "layout",
      "preserve",
      "requirements",
      "compression",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        const others = minimal
          .split(/^(?=\S)/m)
          .filter((part) => !part.startsWith(`${key}:`))
          .join("");
        problemsIn(`${others}${stringify({ [key]: value })}`);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses a file that unfolds into millions of values", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
      .split("")
      .map(
        (name, index) =>
          `${name}: &${name} [${Array.from({ length: 10 }, () => `*${"abcdefgh"[index]}`).join(",")}]`,
      )
      .join("\n")}\n`;
    expect(problemsIn(bomb)[0]?.code).toBe("release-not-yaml");
  });
});

describe("docs/release-yaml.md and examples/release.yaml", () => {
  const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

  it("give a release that is accepted, with the defaults they claim", () => {
    const release = parseRelease(read("examples/release.yaml"), "release.yaml", "/releases");
    expect(release.layout).toEqual(parseRelease(minimal, "release.yaml", "/releases").layout);
  });

  it("name every key", () => {
    const text = read("docs/release-yaml.md");
    const keys = Object.entries(releaseSchema.shape).flatMap(([key, schema]) => [
      key,
      ...allowedKeys(schema),
    ]);
    expect(keys.length).toBeGreaterThan(20);
    expect(keys.filter((key) => !text.includes(`${key}\``) && !text.includes(`${key}.`))).toEqual([]);
  });
});
