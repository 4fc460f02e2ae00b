import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { recordOf } from "../../../../agent/slot/slot-record.ts";
import { stateFolderOf } from "../../../../agent/slot/state-folder.ts";
import { describeRelease, encodeSystemFile } from "../../../../agent/slot/system-file.ts";
import { writeSlotRecord } from "../../../../agent/slot/write-slot-record.ts";
import { disarmGrub } from "../../../../agent/stage1/boot/grub.ts";
import { cancel } from "../../../../agent/stage1/cancel.ts";
import { acquireLock } from "../../../../agent/stage1/lock.ts";
import { placesBelow } from "../../../../agent/stage1/places.ts";
import { readMountTable } from "../../../../agent/system/mounts.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../../../format/grubenv.ts";
import { exampleManifest } from "../example.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cancel-"));
});

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

async function cancelled(): Promise<{ undone: string[]; lines: readonly string[] }> {
  let given: { undone: string[]; lines: readonly string[] } | undefined;
  const context = {
    places: placesBelow(root),
    run: createRun(silent),
    answer: (value: unknown, lines: readonly string[]) => {
      given = { ...(value as { undone: string[] }), lines };
    },
  };
  // A lock of this test's own: the real one is the machine's, and other tests may run on it.
  await cancel(context, () => acquireLock(`\0${root}`));
  return given!;
}

test("on a dual system /boot/dualroot stays, and the upgrade that waits is taken back", async () => {
  const system = describeRelease(exampleManifest(), "A", "VA");
  put("etc/dualroot/system.json", encodeSystemFile(system));
  put("proc/cmdline", "rauc.slot=A");
  put("boot/dualroot/vmlinuz-convert", "rescue kernel");
  put("boot/dualroot/grub/grub.cfg", "menu");
  const grubenv = "boot/dualroot/grub/grubenv";
  const words = { ORDER: "B A", A_OK: "1", A_TRY: "0", B_OK: "1", B_TRY: "0" };
  put(grubenv, encodeGrubenv(new Map(Object.entries(words))));
  const stateFolder = join(root, stateFolderOf(await readMountTable()));
  await writeSlotRecord(stateFolder, recordOf({ ...system, slot: "B" }, "upgrade"));

  const { undone, lines } = await cancelled();
  expect(undone).toEqual(["the upgrade in slot B: slot A boots as before, slot B not at all"]);
  expect(lines.at(-1)).toBe("A restart that was scheduled still takes place; shutdown -c takes it back.");
  expect(readFileSync(join(root, "boot/dualroot/vmlinuz-convert"), "utf8")).toBe("rescue kernel");
  expect(readFileSync(join(root, "boot/dualroot/grub/grub.cfg"), "utf8")).toBe("menu");
  const now = Object.fromEntries(decodeGrubenv(readFileSync(join(root, grubenv))) ?? []);
  expect(now).toEqual({ ...words, ORDER: "A B", B_OK: "0" });
  expect(await cancelled()).toEqual({
    command: "cancel",
    outcome: "cancelled",
    undone: [],
    lines: ["There was nothing to undo."],
  });
});

test("elsewhere it goes, unless another filesystem begins there", async () => {
  put("boot/dualroot/vmlinuz-convert", "kernel");
  expect((await cancelled()).undone).toEqual([`kernel and ramdisk in ${join(root, "boot/dualroot")}`]);
  // A link to another filesystem stands for a mount, which a unit test may not make.
  symlinkSync("/proc", join(root, "boot/dualroot"));
  expect(await disarmGrub(root)).toEqual([]);
  expect(existsSync(join(root, "boot/dualroot"))).toBe(true);
});
