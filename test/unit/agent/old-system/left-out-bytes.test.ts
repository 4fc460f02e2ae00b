import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leftOutBytes } from "../../../../agent/old-system/left-out-bytes.ts";
import { MiB } from "../../../../format/sizes.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "dualroot-left-out-"));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), Buffer.alloc(MiB, 1));
}

test("what slot B does without is measured: the agent's own folder, wherever it was unpacked, and caches", async () => {
  for (const path of [
    "var/tmp/dualroot-runtime.Ab12/usr/bin/node",
    "opt/dualroot-runtime.Xy/usr/bin/node",
    "var/lib/dualroot/stash/content",
    "var/cache/dnf/repository/package.rpm",
    // And these it does not do without.
    "opt/product/image",
    "root/package/rootfs.tar.xz",
    "var/lib/dualroot/report.json",
  ])
    await put(path);
  expect(await leftOutBytes(root)).toEqual(
    new Map([
      ["/var/lib/dualroot/stash", MiB],
      ["/var/tmp", MiB],
      ["/var/cache/dnf", MiB],
      ["/opt/dualroot-runtime.Xy", MiB],
    ]),
  );
});

test("nothing there, nothing measured", async () => {
  expect(await leftOutBytes(root)).toEqual(new Map());
});
