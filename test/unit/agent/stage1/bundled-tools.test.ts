import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { wrapBundledTools } from "../../../../agent/stage1/bundled-tools.ts";

test("a wrapper runs the bundled tool with the bundled loader, from a folder of any name", async () => {
  const runtime = join(mkdtempSync(join(tmpdir(), "runtime-")), "it's here");
  for (const folder of ["usr/lib", "usr/lib64", "usr/sbin"])
    mkdirSync(join(runtime, folder), { recursive: true });
  copyFileSync("/lib64/ld-linux-x86-64.so.2", join(runtime, "usr/lib64/ld-linux-x86-64.so.2"));
  const tar = execFileSync("sh", ["-c", "command -v tar"], { encoding: "utf8" }).trim();
  copyFileSync(tar, join(runtime, "usr/sbin/tar"));
  for (const [, library] of execFileSync("ldd", [tar], { encoding: "utf8" }).matchAll(/=> (\/\S+)/g)) {
    copyFileSync(library!, join(runtime, "usr/lib", library!.slice(library!.lastIndexOf("/"))));
  }
  const path = await wrapBundledTools(runtime, "/bin");
  expect(path).toBe(`${runtime}/wrappers:/bin:/usr/sbin:/usr/bin:/sbin:/bin`);
  expect(readdirSync(join(runtime, "wrappers"))).toEqual(["tar"]);
  const output = execFileSync("tar", ["--version"], { encoding: "utf8", env: { PATH: path } });
  expect(output).toContain("tar (GNU tar)");
  const environment = execFileSync("sh", ["-c", 'cat "$(command -v tar)"'], {
    encoding: "utf8",
    env: { PATH: path },
  });
  expect(environment).toContain("LVM_SYSTEM_DIR='");
});
