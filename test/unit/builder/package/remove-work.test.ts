import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildPackage, planPackage } from "../../../../builder/package/build-package.ts";
import { createKeyPair } from "../../../../builder/package/create-key-pair.ts";
import { silent } from "../../../../format/events.ts";

/** For each folder that was watched: whether it was still there when the watch ended. */
const left: boolean[] = [];
vi.mock("../../../../builder/system/remove-on-interrupt.ts", () => ({
  removeOnInterrupt: (folder: () => string) => () => left.push(existsSync(folder())),
}));

const folder = mkdtempSync(join(tmpdir(), "dualroot-work-"));
const release = join(folder, "release.yaml");
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await createKeyPair(folder, "release");
  writeFileSync(
    release,
    'name: demo\nversion: "1"\ncompatible: demo\ncounter: 1\nsign: { key: release.key }\ntrustedKeys: [release.pub]\nrootfs: { source: missing.tar }\n',
  );
});

// A Ctrl-C in the middle of removing must go on removing.
test.each([
  ["build", async () => await buildPackage(release, join(folder, "out"), silent, { noCache: true })],
  ["plan", async () => await planPackage(release, silent)],
])("%s watches its folder until it is gone", async (_, work) => {
  left.length = 0;
  await expect(work()).rejects.toMatchObject({ problems: [{ code: "rootfs-missing" }] });
  expect(left).toEqual([false]);
  expect(readdirSync(folder).filter((name) => name.includes("building"))).toEqual([]);
});
