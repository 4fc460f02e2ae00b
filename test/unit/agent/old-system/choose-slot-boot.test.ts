import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TargetWriter } from "../../../../agent/identity/restore/target-writer.ts";
import type { SlotRoot } from "../../../../agent/old-system/adapt-old-system.ts";
import { chooseSlotBoot, type SlotBoot } from "../../../../agent/old-system/choose-slot-boot.ts";
import type { StepContext } from "../../../../agent/steps/step-context.ts";
import { StepError } from "../../../../format/errors.ts";
import { recordingRun } from "../recording-run.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-slot-"));
  mkdirSync(join(scratch, "slot"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

/** An old system without its kernel: it boots by the ramdisk's. `damage` is done after the digests were taken. */
function choose(damage?: string): Promise<SlotBoot> {
  const digests = new Map<string, string>();
  for (const name of ["vmlinuz-convert", "initramfs-convert.img"]) {
    const content = `content of ${name}`;
    digests.set(name, createHash("sha256").update(content).digest("hex"));
    writeFileSync(join(scratch, name), name === damage ? content.replace("content", "c0ntent") : content);
  }
  const slot = {
    root: join(scratch, "slot"),
    commandLine: "root=/dev/sda1 quiet",
    kernelRelease: "3.10.0",
  } as SlotRoot;
  const context: Partial<StepContext> = {
    run: recordingRun().run,
    report: () => {},
    stored: (name) => ({
      name,
      path: join(scratch, name),
      ranges: [{ startBytes: 0, sizeBytes: 4096 }],
      sizeBytes: readFileSync(join(scratch, name)).length,
      sha256: digests.get(name) ?? "",
    }),
  };
  return chooseSlotBoot(slot, new TargetWriter(slot.root), context as StepContext);
}

test("where the old system has no kernel, slot B gets the ramdisk's kernel and image", async () => {
  const boot = await choose();
  expect(boot).toMatchObject({ kernel: "/boot/vmlinuz-convert", initramfs: "/boot/initramfs-convert.img" });
  expect(readFileSync(join(scratch, "slot", boot.initramfs), "utf8")).toBe(
    "content of initramfs-convert.img",
  );
});

test.each(["vmlinuz-convert", "initramfs-convert.img"])(
  "%s that changed in the stash boots nothing",
  async (name) => {
    const chosen = choose(name);
    await expect(chosen).rejects.toThrow(StepError);
    await expect(chosen).rejects.toThrow(
      `${name}, by which slot B was to boot, is not as the package has it`,
    );
  },
);
