import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRun } from "../../agent/system/run.ts";
import { kernelEntries } from "../../builder/ramdisk/contents.ts";
import { driversOf } from "../../builder/ramdisk/drivers.ts";
import { moduleClosure, type ModuleClosure } from "../../builder/ramdisk/kernel-modules.ts";
import { moduleIndexes } from "../../builder/ramdisk/module-index.ts";
import { moduleName } from "../../builder/ramdisk/module-info.ts";
import { UserError } from "../../format/errors.ts";
import { silent } from "../../format/events.ts";
import { debianKernel, type KernelFixture } from "../fixtures/kernels.ts";

let scratch: string;
let kernel: KernelFixture;
let closure: ModuleClosure;
const run = createRun(silent);

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-modules-"));
  kernel = await debianKernel("amd64");
  closure = await moduleClosure(kernel.modulesFolder, driversOf("all"), { run, cacheFolder: scratch });
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** modules.dep: path -> what it needs. */
function parseDependencies(text: string): Map<string, string[]> {
  return new Map(
    lines(text).map((line) => {
      const [path, rest] = line.split(":");
      return [path!, rest!.split(" ").filter(Boolean)];
    }),
  );
}

const withoutPath = (from: ModuleClosure): object[] =>
  from.modules.map((module) => ({ ...module, path: "" }));
const lines = (text: string): string[] =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("Debian's generic kernel has every driver of the list", () => {
  expect(closure.missing).toEqual([]);
  expect(closure.modules.length).toBeGreaterThan(100);
});

test("modules.dep names for every module what depmod names", () => {
  const ours = parseDependencies(moduleIndexes(closure.modules)["modules.dep"]);
  const depmods = parseDependencies(readFileSync(join(kernel.modulesFolder, "modules.dep"), "utf8"));
  for (const [path, needed] of ours) {
    expect([path, ...needed.toSorted()]).toEqual([path, ...depmods.get(path)!.toSorted()]);
    // Read from right to left, nothing may come before what it needs.
    for (const [index, other] of needed.entries()) {
      for (const deeper of ours.get(other)!) expect(needed.indexOf(deeper)).toBeGreaterThan(index);
    }
  }
});

test("the closure is closed: all that depmod says a module needs is in it", () => {
  const present = new Set(closure.modules.map((module) => module.name));
  for (const line of lines(readFileSync(join(kernel.modulesFolder, "modules.dep"), "utf8"))) {
    const [path, rest] = line.split(":");
    if (!present.has(moduleName(path!))) continue;
    for (const needed of rest!.split(" ").filter(Boolean)) expect(present).toContain(moduleName(needed));
  }
});

test("modules.alias has depmod's lines of these modules", () => {
  const present = new Set(closure.modules.map((module) => module.name));
  const depmods = lines(readFileSync(join(kernel.modulesFolder, "modules.alias"), "utf8")).filter((line) =>
    present.has(line.split(" ").at(-1)!),
  );
  expect(new Set(lines(moduleIndexes(closure.modules)["modules.alias"]))).toEqual(new Set(depmods));
});

test("compressed modules, as other distributions have them, give the same closure and the same bytes", async () => {
  const folder = join(scratch, "lib/modules", kernel.version);
  const suffixes: [string, string[]][] = [
    ["gzip", []],
    ["xz", ["--check=crc32"]],
    ["zstd", ["-q", "--rm"]],
  ];
  for (const [index, module] of closure.modules.entries()) {
    const copy = join(folder, module.relativePath);
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(module.path, copy);
    const [tool, args] = suffixes[index % suffixes.length]!;
    execFileSync(tool, [...args, copy]);
  }
  cpSync(join(kernel.modulesFolder, "modules.builtin"), join(folder, "modules.builtin"));
  const again = await moduleClosure(folder, driversOf("all"), { run, cacheFolder: join(scratch, "cache") });
  expect(withoutPath(again)).toEqual(withoutPath(closure));
  for (const [index, module] of again.modules.entries()) {
    const isSame = readFileSync(module.path).equals(readFileSync(closure.modules[index]!.path));
    expect({ name: module.name, isSame }).toEqual({ name: module.name, isSame: true });
  }
});

test("a kernel without XFS is refused by name, one with unknown drivers is not", async () => {
  const withoutXfs: ModuleClosure = {
    ...closure,
    modules: closure.modules.filter((module) => module.name !== "xfs"),
  };
  expect(() => kernelEntries(kernel, withoutXfs)).toThrow(UserError);
  expect(() => kernelEntries(kernel, withoutXfs)).toThrow(`Kernel ${kernel.version} has no xfs`);
  const odd = await moduleClosure(kernel.modulesFolder, ["xfs", "no-such-driver"], {
    run,
    cacheFolder: scratch,
  });
  expect(odd.missing).toEqual(["no_such_driver"]);
});

test("a folder without modules is refused", async () => {
  await expect(
    moduleClosure(join(scratch, "nothing"), ["xfs"], { run, cacheFolder: scratch }),
  ).rejects.toThrow("holds no kernel modules");
});
