import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordWritten } from "../../../../agent/steps/record-written.ts";
import { verifyTarget } from "../../../../agent/steps/verify-target.ts";
import { sha256Hex } from "../../../../format/digest.ts";
import type { Manifest } from "../../../../format/manifest.ts";
import { stepContext } from "./step-context.ts";

const index = "usr/lib/dualroot/rootfs.sha256";
const packed = ["usr/bin/tool", "boot/initrd.img-6.1", "etc/hostname", "etc/motd", "root/.ssh/known"];
let folder: string;
let target: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dualroot-verify-"));
  target = join(folder, "target");
  for (const path of [...packed, index]) await mkdir(join(target, path, ".."), { recursive: true });
  for (const path of packed) await writeFile(join(target, path), `packed ${path}`);
  await writeFile(join(target, index), indexText());
});
afterEach(() => rm(folder, { recursive: true }));

const indexText = (): string => packed.map((path) => `${sha256Hex(`packed ${path}`)}  ./${path}\n`).join("");

/** As if steps had named a computer, made an initramfs, and taken a file away; `after` is what the disk does to it. */
async function verify(after: () => Promise<void>, rebuilt = true): Promise<string[]> {
  const context = stepContext({
    manifest: { files: [] } as unknown as Manifest,
    runtimeFolder: folder,
    written: new Map(),
    changed: ["/etc/hostname", "/root/.ssh"],
  });
  const write = async (path: string): Promise<void> => {
    await mkdir(join(target, path, ".."), { recursive: true });
    await writeFile(join(target, path), `written ${path}`);
  };
  for (const path of ["etc/hostname", "root/.ssh/authorized_keys", "etc/fstab"]) await write(path);
  if (rebuilt) await write("boot/initrd.img-6.1");
  await rm(join(target, "root/.ssh/known"));
  const paths = ["etc/hostname", "root/.ssh", "etc/fstab", ...(rebuilt ? ["boot/initrd.img-6.1"] : [])];
  await recordWritten(
    context,
    paths.map((path) => join(target, path)),
  );
  await after();
  await verifyTarget(
    {
      kind: "verify-target",
      title: "",
      target,
      indexSha256: sha256Hex(indexText()),
      isMountedAnew: true,
    },
    context,
  );
  return context.notes;
}

const damage = (path: string) => (): Promise<void> => writeFile(join(target, path), "zeros");

test("what was written reads back as it was written, the rest as it was packed", async () => {
  expect(await verify(async () => {})).toEqual([
    "2 of 5 files were read back equal to the package; 3 were rewritten for this gateway.",
  ]);
});

test.each(["usr/bin/tool", "etc/hostname", "boot/initrd.img-6.1"])(
  "%s is damaged on the medium: that is found",
  async (path) => {
    await expect(verify(damage(path))).rejects.toThrow(`1 of 7 files read back wrong: ${path}`);
  },
);

test.each(["root/.ssh/authorized_keys", "etc/fstab"])(
  "%s, which the package does not have, is damaged: that is found",
  async (path) => {
    await expect(verify(damage(path))).rejects.toThrow(/1 of 7 files read back wrong: .*\//);
  },
);

test("an initramfs that nobody has made anew must be the package's", async () => {
  await expect(verify(damage("boot/initrd.img-6.1"), false)).rejects.toThrow("wrong: boot/initrd.img-6.1");
});
