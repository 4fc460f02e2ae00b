import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { rootedPath, rootedPathSync } from "../../../../builder/rootfs/rooted-path.ts";
import { UserError } from "../../../../format/errors.ts";

const root = mkdtempSync(join(tmpdir(), "dualroot-rooted-"));
afterAll(() => rmSync(root, { recursive: true }));

mkdirSync(join(root, "usr/lib"), { recursive: true });
symlinkSync("usr/lib", join(root, "lib"));
symlinkSync("/etc/shadow", join(root, "usr/lib/absolute"));
symlinkSync("../../../../../etc/shadow", join(root, "usr/lib/above"));
symlinkSync("itself", join(root, "itself"));
for (let link = 1; link <= 41; link++) symlinkSync(`/link${link - 1}`, join(root, `link${link}`));

test.each([
  ["/lib/absolute", "etc/shadow"],
  ["lib/above", "etc/shadow"],
  // `..` leads up from where the link has led to.
  ["/lib/../lib/./new", "usr/lib/new"],
  ["/absent/deeper", "absent/deeper"],
  ["/link40", "link0"],
])("%s lies at ROOT/%s", async (path, real) => {
  expect(await rootedPath(root, path)).toBe(join(root, real));
  expect(rootedPathSync(root, path)).toBe(join(root, real));
});

test.each(["/itself", "/itself/below", "/link41"])("%s is refused: links without end", async (path) => {
  const refusal = { problems: [{ code: "rootfs-links-endless", message: expect.stringContaining(path) }] };
  await expect(rootedPath(root, path)).rejects.toMatchObject(refusal);
  expect(() => rootedPathSync(root, path)).toThrow(UserError);
});
