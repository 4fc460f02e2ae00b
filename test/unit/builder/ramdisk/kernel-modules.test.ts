import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createRun } from "../../../../agent/system/run.ts";
import { firmwareFiles } from "../../../../builder/ramdisk/firmware.ts";
import { moduleClosure } from "../../../../builder/ramdisk/kernel-modules.ts";
import { silent } from "../../../../format/events.ts";
import { tinyModule } from "./tiny-module.ts";

/** A root filesystem, and beside it what only the build host has. */
function places() {
  const scratch = mkdtempSync(join(tmpdir(), "dualroot-links-"));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const [root, host] = [join(scratch, "root"), join(scratch, "host")];
  const folder = join(root, "lib/modules/6.1");
  const write = (path: string, content: Buffer | string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  const link = (target: string, path: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  const closure = async (...wanted: string[]) =>
    await moduleClosure(
      folder,
      wanted,
      { run: createRun(silent), cacheFolder: join(scratch, "cache") },
      root,
    );
  return { root, host, folder, write, link, closure };
}

test("a link of weak-updates leads to the other kernel's module in the root filesystem", async () => {
  const { root, folder, write, link, closure } = places();
  const real = write(
    join(root, "lib/modules/5.14/extra/nic.ko"),
    tinyModule(["depends=mii", "firmware=nic.bin"]),
  );
  link("/lib/modules/5.14/extra/nic.ko", join(folder, "weak-updates/nic.ko"));
  write(join(folder, "kernel/nic.ko"), tinyModule([]));
  write(join(folder, "kernel/mii.ko"), tinyModule([]));
  const { modules, missing } = await closure("nic");
  expect(missing).toEqual([]);
  expect(modules.map(({ relativePath, path }) => [relativePath, path])).toEqual([
    ["kernel/mii.ko", join(folder, "kernel/mii.ko")],
    ["weak-updates/nic.ko", real],
  ]);
});

test("a link that leads to nothing in the root filesystem is passed over, also where the host has something", async () => {
  const { host, folder, write, link, closure } = places();
  const theirs = write(join(host, "nic.ko"), tinyModule([]));
  link(theirs, join(folder, "updates/nic.ko"));
  link("/absent.ko", join(folder, "extra/nic.ko"));
  const own = write(join(folder, "kernel/nic.ko"), tinyModule([]));
  expect((await closure("nic")).modules.map(({ path }) => path)).toEqual([own]);
});

test("links to folders are not followed, and the list of what is built in is the root filesystem's", async () => {
  const { root, host, folder, write, link, closure } = places();
  write(join(host, "nic.ko"), tinyModule([]));
  write(join(host, "modules.builtin"), "kernel/of-the-host.ko\n");
  write(join(folder, "kernel/ext4.ko"), tinyModule([]));
  link(host, join(folder, "kernel/more"));
  link(host, join(folder, "updates"));
  link(join(host, "modules.builtin"), join(folder, "modules.builtin"));
  const before = await closure("nic", "ext4");
  expect(before.missing).toEqual(["nic"]);
  expect(before.modules.map(({ name }) => name)).toEqual(["ext4"]);
  expect([...before.builtIn]).toEqual([]);
  write(join(root, host, "modules.builtin"), "kernel/of-the-root.ko\n");
  expect([...(await closure("ext4")).builtIn]).toEqual(["of_the_root"]);
});

test("a module without content, which a stand-in for it is, is refused", async () => {
  const { folder, write, closure } = places();
  write(join(folder, "kernel/nic.ko"), tinyModule(["depends=mii"]));
  write(join(folder, "kernel/mii.ko.xz"), "");
  await expect(closure("nic")).rejects.toMatchObject({ problems: [{ code: "kernel-module-empty" }] });
});

test("firmware is the root filesystem's, whatever its links say", async () => {
  const { root, host, folder, write, link, closure } = places();
  const secret = write(join(host, "secret"), "of the host");
  write(join(folder, "kernel/nic.ko"), tinyModule(["firmware=nic.bin", "firmware=other/new.bin"]));
  write(join(root, "lib/firmware/other-1/real.bin"), "of the root");
  link("/lib/firmware/other-1", join(root, "lib/firmware/other"));
  link("real.bin", join(root, "lib/firmware/other-1/new.bin"));
  link(secret, join(root, "lib/firmware/nic.bin"));
  const { modules } = await closure("nic");
  const { entries, missing } = firmwareFiles(folder, modules, root);
  expect(missing).toEqual(["nic.bin"]);
  expect(entries.map(({ path }) => path)).toEqual(["usr/lib/firmware/other/new.bin"]);
  const [entry] = entries;
  if (entry?.type !== "file" || !("path" in entry.source)) throw new Error("no file");
  expect(readFileSync(entry.source.path, "utf8")).toBe("of the root");
});
