import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { indexText } from "../../../../builder/rootfs/index-file.ts";
import { overlayArchive } from "../../../../builder/rootfs/overlay-archive.ts";
import { readOverlay } from "../../../../builder/rootfs/overlay.ts";

// A release may lay files of any size: they are read when they are packed, and must then be what the index says.
test("a file of an overlay is packed as it was digested, or not at all", async () => {
  const top = mkdtempSync(join(tmpdir(), "dualroot-overlay-"));
  onTestFinished(() => rmSync(top, { recursive: true }));
  for (const name of ["overlay/opt", "root", "out"]) mkdirSync(join(top, name), { recursive: true });
  const file = join(top, "overlay/opt/image.bin");
  writeFileSync(file, Buffer.alloc(3_000_001, "0123456789"));
  writeFileSync(join(top, "overlay/empty"), "");
  const overlay = await readOverlay(join(top, "overlay"), join(top, "root"), { modes: "given" });
  expect(JSON.stringify(overlay).length).toBeLessThan(2000);
  const archive = async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of overlayArchive(overlay, 1_600_000_000)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const tar = Buffer.concat([await archive(), Buffer.alloc(1024)]);
  execFileSync("tar", ["-x", "-C", join(top, "out")], { input: tar });
  expect(readFileSync(join(top, "out/opt/image.bin")).equals(readFileSync(file))).toBe(true);
  execFileSync("sha256sum", ["--check", "--strict", "--quiet"], {
    cwd: join(top, "out"),
    input: indexText(new Map(), overlay),
  });

  const changed = { problems: [{ code: "rootfs-changed" }] };
  writeFileSync(file, Buffer.alloc(3_000_001, "1234567890"));
  await expect(archive()).rejects.toMatchObject(changed);
  appendFileSync(file, "more");
  await expect(archive()).rejects.toMatchObject(changed);
  writeFileSync(file, "less");
  await expect(archive()).rejects.toMatchObject(changed);
});
