import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeGrubenv,
  encodeGrubenv,
  encodeSlotEnvironment,
  grubenvBytes,
} from "../../../format/grubenv.ts";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "grubenv-"));
  file = join(folder, "grubenv");
});
afterAll(() => rmSync(folder, { recursive: true }));

const grubEditenv = (...args: string[]): string =>
  execFileSync("grub-editenv", [file, ...args], { encoding: "utf8" });

const fresh = { order: ["A", "B"], A: { ok: true, tries: 0 }, B: { ok: false, tries: 0 } } as const;

describe("environment of a dual system", () => {
  test("is byte for byte the golden file", () => {
    expect(Buffer.from(encodeSlotEnvironment(fresh))).toEqual(readFileSync("test/golden/grubenv/fresh"));
  });

  test("is read, changed and listed by the real grub-editenv", () => {
    writeFileSync(file, encodeSlotEnvironment(fresh));
    expect(grubEditenv("list")).toBe("ORDER=A B\nA_OK=1\nA_TRY=0\nB_OK=0\nB_TRY=0\n");
    grubEditenv("set", "A_TRY=2", "own=1");
    expect(decodeGrubenv(readFileSync(file))).toEqual(
      new Map([
        ["ORDER", "A B"],
        ["A_OK", "1"],
        ["A_TRY", "2"],
        ["B_OK", "0"],
        ["B_TRY", "0"],
        ["own", "1"],
      ]),
    );
  });
});

describe("any environment", () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
  const value = fc.string({ unit: fc.constantFrom("a", " ", "=", "#", "\\", "\n", "'", "é"), maxLength: 12 });
  const variables = fc
    .uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([key]) => key })
    .map((entries) => new Map(entries));

  test("comes back as it was", () => {
    fc.assert(
      fc.property(variables, (wanted) => {
        const bytes = encodeGrubenv(wanted);
        expect(bytes).toHaveLength(grubenvBytes);
        expect(decodeGrubenv(bytes)).toEqual(wanted);
      }),
    );
  });

  test("is the same to grub-editenv, read and written", () => {
    fc.assert(
      fc.property(variables, (wanted) => {
        writeFileSync(file, encodeGrubenv(wanted));
        expect(grubEditenv("list")).toBe([...wanted].map(([key, text]) => `${key}=${text}\n`).join(""));
        grubEditenv("create");
        grubEditenv("set", ...[...wanted].map(([key, text]) => `${key}=${text}`));
        expect(decodeGrubenv(readFileSync(file))).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
  });

  test("of any bytes does not throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1100 }), (noise) => {
        expect(decodeGrubenv(noise)).toBeUndefined();
        const sized = Buffer.alloc(grubenvBytes, "#");
        sized.write("# GRUB Environment Block\n");
        sized.set(noise.subarray(0, 900), 25);
        const read = decodeGrubenv(sized);
        expect(read === undefined).toBe(sized.toString("utf8").includes("\0"));
      }),
    );
  });
});

describe("refused", () => {
  test.each([0, 512, 1023, 1025])("a file of %i bytes", (size) => {
    expect(
      decodeGrubenv(Buffer.concat([encodeSlotEnvironment(fresh), Buffer.from("#")]).subarray(0, size)),
    ).toBeUndefined();
  });

  test("a file of the right size without the header", () => {
    expect(decodeGrubenv(Buffer.alloc(grubenvBytes, "#"))).toBeUndefined();
  });

  test("more text than there is room for", () => {
    expect(() => encodeGrubenv(new Map([["a", "x".repeat(1000)]]))).toThrow("needs 1028 bytes");
  });

  test("a name that would change another line", () => {
    expect(() => encodeGrubenv(new Map([["a=b\nc", "x"]]))).toThrow("not a name");
  });
});
