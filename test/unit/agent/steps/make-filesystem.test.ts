import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeCommand, makeFilesystem } from "../../../../agent/steps/make-filesystem.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { recordingRun } from "../recording-run.ts";
import { stepContext } from "./step-context.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-mkfs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const uuid = "01234567-89ab-4cde-8f01-23456789abcd";
const environment = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };

/** Feature names that GRUB 2.02's ext2 and xfs drivers refuse to read past, and that e2fsprogs 1.42 does not know. */
const unreadable =
  /metadata_csum|orphan_file|inline_data|encrypt|casefold|large_dir|64bit|ea_inode|bigalloc|meta_bg/;

function image(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, bytes);
  return path;
}

test("the real mkfs.ext4 makes what GRUB 2.02 and e2fsprogs 1.42 know, with the planned UUID and label", async () => {
  const device = image("ext4", 64 * 1024 * 1024);
  const step = {
    kind: "make-filesystem",
    title: "",
    device,
    type: "ext4",
    uuid,
    label: "dualroot-boot",
    readByGrub: true,
  } as const;
  await createRun(silent, environment)(...makeCommand(step));
  const features = execFileSync("dumpe2fs", ["-h", device], {
    encoding: "utf8",
    env: environment,
    stdio: "pipe",
  });
  expect(features).toMatch(`Filesystem UUID:          ${uuid}`);
  expect(features).toMatch("Filesystem volume name:   dualroot-boot");
  expect(features).toMatch(/Filesystem features: .*has_journal.*extent/);
  expect(/Filesystem features:(.*)/.exec(features)![1]).not.toMatch(unreadable);
});

test("the real mkfs.xfs makes what GRUB 2.02 and kernel 3.10 know", async () => {
  const device = image("xfs", 320 * 1024 * 1024);
  const step = {
    kind: "make-filesystem",
    title: "",
    device,
    type: "xfs",
    uuid,
    label: "data",
    readByGrub: false,
  } as const;
  await createRun(silent, environment)(...makeCommand(step));
  const version = execFileSync("xfs_db", ["-r", "-c", "version", "-c", "uuid", "-c", "label", device], {
    encoding: "utf8",
    env: environment,
  });
  expect(version).toMatch(uuid);
  expect(version).toMatch('label = "data"');
  expect(version).not.toMatch(/SPARSE_INODES|BIGTIME|NREXT64|REFLINK|INOBTCNT|PARENT/);
  expect(version).toMatch(/V5/);
});

test("another UUID than the planned one on the medium is an error", async () => {
  const step = {
    kind: "make-filesystem",
    title: "",
    device: "/dev/x",
    type: "ext4",
    uuid,
    label: "a",
    readByGrub: true,
  } as const;
  const { run } = recordingRun((line) => (line.startsWith("blkid") ? "TYPE=ext4\nUUID=other\n" : ""));
  await expect(makeFilesystem(step, stepContext({ run }))).rejects.toThrow(
    /holds ext4 other instead of ext4 01234567/,
  );
});
