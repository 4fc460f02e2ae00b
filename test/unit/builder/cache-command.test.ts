import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const program = fileURLToPath(new URL("../../../builder/dualroot.mjs", import.meta.url));

test("dualroot cache shows what is kept, and --clear removes the builder's own only", () => {
  const folder = mkdtempSync(join(tmpdir(), "dualroot-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dualroot = (...words: string[]) =>
    execFileSync(process.execPath, [program, "cache", ...words], {
      env: { ...process.env, DUALROOT_CACHE: folder },
      encoding: "utf8",
    });
  for (const name of ["rootfs/one", "rootfs/two", "fixtures"])
    mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "rootfs/one/body"), Buffer.alloc(1024 * 1024, "x"));
  expect(dualroot()).toMatch(/^ +rootfs +1 MiB +of 4 GiB +2 entries +used \d{4}-/m);
  const { parts } = JSON.parse(dualroot("--json")) as { parts: { name: string; bytes: number }[] };
  expect(parts.find(({ name }) => name === "rootfs")).toMatchObject({ bytes: 1024 * 1024, entries: 2 });
  expect(dualroot("--clear")).toContain("removed 1 MiB");
  expect(readdirSync(folder)).toEqual(["fixtures"]);
});
