import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildBootFiles } from "../../../builder/boot/build-boot-files.ts";
import { modulesOnBoot } from "../../../builder/boot/grub-modules.ts";
import { silent } from "../../../format/events.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-boot-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("boot files are the same bytes every time", async () => {
  for (const name of ["one", "two"]) await buildBootFiles(join(folder, name), silent);
  execFileSync("diff", ["-r", join(folder, "one"), join(folder, "two")]);
  expect(await readdir(join(folder, "one"))).toEqual([
    "boot.img",
    "core.img",
    "grub.cfg.template",
    "i386-pc",
  ]);
});

test("modules come with what they need", () => {
  const modules = modulesOnBoot("lvm: diskfilter\ndiskfilter:\nxfs: fshelp\nfshelp:\nvideo_cirrus: video\n");
  expect(modules).toContain("diskfilter");
  expect(modules).toContain("fshelp");
  expect(modules).not.toContain("video");
});
