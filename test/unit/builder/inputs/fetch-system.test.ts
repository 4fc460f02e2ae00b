import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sha256File } from "../../../../agent/system/files.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { fetchForSurvey, fetchModules } from "../../../../builder/inputs/fetch-system.ts";
import { openSource } from "../../../../builder/inputs/open-source.ts";
import { moduleClosure } from "../../../../builder/ramdisk/kernel-modules.ts";
import { rootedPath } from "../../../../builder/rootfs/rooted-path.ts";
import { silent } from "../../../../format/events.ts";
import { tinyModule } from "../ramdisk/tiny-module.ts";

/** A tar of these files, opened as a release's source; a link's content begins with `->`. */
async function sourceOf(files: Record<string, string | Buffer>) {
  const scratch = mkdtempSync(join(tmpdir(), "dualroot-fetch-"));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    const place = join(scratch, "tree", path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof content === "string" && content.startsWith("->")) symlinkSync(content.slice(2), place);
    else writeFileSync(place, content);
  }
  execFileSync("tar", ["-C", join(scratch, "tree"), "-cf", join(scratch, "root.tar"), "."]);
  const source = await openSource(join(scratch, "root.tar"), {
    scratch: join(scratch, "rootfs"),
    digestOf: async (path) => await sha256File(path),
    cacheFolder: join(scratch, "cache"),
    allowBackingFile: false,
    report: silent,
  });
  const read = async (path: string) => readFileSync(await rootedPath(source.root, path), "utf8");
  return { source, read, decompressor: { run: createRun(silent), cacheFolder: join(scratch, "cache") } };
}

test("what kernel, initramfs, lists and settings lead to is fetched, wherever it lies", async () => {
  const { source, read } = await sourceOf({
    "boot/vmlinuz-6.4": "->../usr/lib/modules/6.4/vmlinuz",
    "boot/initrd-6.4": "->/srv/initrd",
    "srv/initrd": "initramfs",
    "usr/lib/modules/6.4/vmlinuz": "kernel",
    "usr/lib/modules/6.4/modules.dep": "->/srv/modules.dep",
    "srv/modules.dep": "a.ko:",
    lib: "->usr/lib",
    "etc/fstab": "->../usr/etc/fstab",
    "usr/etc/fstab": "LABEL=r / ext4",
    "etc/endless": "->endless",
    "etc/gone": "->/run/gone",
  });
  await fetchForSurvey(source);
  expect(await read("/boot/vmlinuz-6.4")).toBe("kernel");
  expect(await read("/boot/initrd-6.4")).toBe("initramfs");
  expect(await read("/lib/modules/6.4/modules.dep")).toBe("a.ko:");
  expect(await read("/etc/fstab")).toBe("LABEL=r / ext4");
});

test("a kernel or initramfs that leads to nothing is refused; one without a version is left alone", async () => {
  for (const name of ["vmlinuz-6.4", "initrd.img-6.4", "initrd-6.4", "initramfs-6.4.img"]) {
    const { source } = await sourceOf({ [`boot/${name}`]: "->../usr/lib/modules/6.4/gone" });
    await expect(fetchForSurvey(source)).rejects.toMatchObject({
      problems: [{ code: "rootfs-boot-link-dangling", message: expect.stringContaining(name) }],
    });
  }
  const { source } = await sourceOf({ "boot/vmlinuz.old": "->vmlinuz-6.3", "boot/vmlinuz-6.4": "kernel" });
  await fetchForSurvey(source);
});

test("modules and firmware that links lead to are fetched", async () => {
  const nic = tinyModule(["depends=mii", "firmware=nic.bin"]);
  const { source, read, decompressor } = await sourceOf({
    "lib/modules/6.4/modules.dep": "weak-updates/virtio-net.ko: kernel/mii.ko\nkernel/mii.ko:\n",
    "lib/modules/6.4/weak-updates/virtio-net.ko": "->/opt/vendor/virtio-net.ko",
    "lib/modules/6.4/kernel/mii.ko": tinyModule([]),
    "opt/vendor/virtio-net.ko": nic,
    "lib/firmware/nic.bin": "->vendor/nic-1.bin",
    "lib/firmware/vendor": "->/opt/vendor",
    "opt/vendor/nic-1.bin": "firmware",
  });
  await fetchForSurvey(source);
  const folder = join(source.root, "lib/modules/6.4");
  await fetchModules(source, folder, decompressor);
  const { modules } = await moduleClosure(folder, ["virtio_net"], decompressor, source.root);
  expect(modules.map(({ relativePath }) => relativePath)).toEqual([
    "kernel/mii.ko",
    "weak-updates/virtio-net.ko",
  ]);
  expect(readFileSync(modules[1]!.path).equals(nic)).toBe(true);
  expect(await read("/lib/firmware/nic.bin")).toBe("firmware");
});
