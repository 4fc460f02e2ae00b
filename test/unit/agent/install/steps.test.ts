import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { storedInFolder } from "../../../../agent/install/stored-in-folder.ts";
import { planInstall } from "../../../../agent/install/plan/install-plan.ts";
import { activateSlot } from "../../../../agent/install/steps/activate-slot.ts";
import { executeInstallPlan } from "../../../../agent/install/steps/execute-install-plan.ts";
import type { InstallContext } from "../../../../agent/install/steps/install-context.ts";
import { markSlotBad } from "../../../../agent/install/steps/mark-slot-bad.ts";
import { putDown } from "../../../../agent/install/steps/put-down.ts";
import { refreshRescue } from "../../../../agent/install/steps/refresh-rescue.ts";
import { remountSlot, unmountSlot } from "../../../../agent/install/steps/slot-mounts.ts";
import { createRun } from "../../../../agent/system/run.ts";
import { silent } from "../../../../format/events.ts";
import { decodeGrubenv, encodeGrubenv } from "../../../../format/grubenv.ts";
import { exampleManifest } from "../example.ts";
import { recordingRun } from "../recording-run.ts";
import { dualPlanInput } from "./example-dual.ts";

const scratch = (): string => mkdtempSync(join(tmpdir(), "install-steps-"));

function installContext(given: Partial<InstallContext> = {}): InstallContext {
  return {
    run: createRun(silent),
    report: silent,
    stored: () => {
      throw new Error("this test has no package");
    },
    without: new Set(),
    runtimeFolder: "/",
    manifest: exampleManifest(),
    identity: undefined as never,
    network: Promise.resolve({}),
    preservedTar: "",
    notes: [],
    changed: [],
    written: new Map(),
    plan: planInstall(dualPlanInput()),
    interfaces: [],
    isMarkedBad: false,
    identityTable: [],
    signal: new AbortController().signal,
    ...given,
  };
}

const names = { slot: "B", running: "A" } as const;
const before = new Map([
  ["ORDER", "A B"],
  ["A_OK", "1"],
  ["A_TRY", "0"],
  ["B_OK", "1"],
  ["B_TRY", "2"],
  ["other", "word"],
]);

function slots(content: Uint8Array = encodeGrubenv(before)) {
  const stateFolder = scratch();
  const grubenv = join(stateFolder, "grubenv");
  writeFileSync(grubenv, content);
  const history = (): string[] =>
    existsSync(join(stateFolder, "history.jsonl"))
      ? readFileSync(join(stateFolder, "history.jsonl"), "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => (JSON.parse(line) as { event: string }).event)
      : [];
  const read = (): Record<string, string> => Object.fromEntries(decodeGrubenv(readFileSync(grubenv)) ?? []);
  return { grubenv, stateFolder, history, read };
}

test("the other slot goes bad and comes first, the running one's state stays", async () => {
  const { grubenv, stateFolder, read, history } = slots();
  const context = installContext();
  const marked = { kind: "mark-slot-bad" as const, title: "", grubenv, stateFolder, ...names };
  await markSlotBad(marked, context);
  expect(context.isMarkedBad).toBe(true);
  expect(read()).toEqual({ ...Object.fromEntries(before), B_OK: "0", B_TRY: "0" });
  await activateSlot({ ...marked, kind: "activate-slot" }, context);
  expect(read()).toEqual({ ...Object.fromEntries(before), ORDER: "B A", B_OK: "1", B_TRY: "0" });
  expect(history()).toEqual(["activated"]);
});

test("a damaged block is made anew with the running slot as it is known, and the history says so", async () => {
  const { grubenv, stateFolder, read, history } = slots(Buffer.from("torn"));
  const context = installContext();
  await markSlotBad({ kind: "mark-slot-bad", title: "", grubenv, stateFolder, ...names }, context);
  expect(read()).toEqual({ A_OK: "1", A_TRY: "0", ORDER: "A B", B_OK: "0", B_TRY: "0" });
  expect(history()).toEqual(["grubenv-repaired"]);
  expect(context.notes).toEqual(["GRUB's environment block was damaged and has been made anew."]);
});

test("unmounting flushes the device; mounted again it takes no writes", async () => {
  const { run, commands } = recordingRun();
  const slot = { device: "/dev/mapper/VA-root_b", target: "/run/dualroot/install/slot" };
  await remountSlot({ kind: "remount-slot", title: "", type: "ext4", ...slot }, { run });
  await unmountSlot(slot, { run });
  expect(commands).toEqual([
    "blockdev --flushbufs /dev/mapper/VA-root_b",
    "mount -t ext4 -o ro,noatime /dev/mapper/VA-root_b /run/dualroot/install/slot",
    "blockdev --flushbufs /dev/mapper/VA-root_b",
  ]);
});

function rescuePackage(folder: string): Pick<InstallContext, "manifest" | "stored"> {
  const manifest = exampleManifest();
  for (const file of manifest.files) {
    const content = `content of ${file.name}`;
    writeFileSync(join(folder, file.name), content);
    Object.assign(file, {
      size: content.length,
      sha256: createHash("sha256").update(content).digest("hex"),
    });
  }
  return { manifest, stored: storedInFolder(folder, manifest) };
}

test("the rescue system is replaced when it differs, and left alone when not", async () => {
  const [source, boot] = [scratch(), scratch()];
  const context = installContext(rescuePackage(source));
  mkdirSync(join(boot, "grub"));
  writeFileSync(join(boot, "grub/grubenv"), "never touched");
  writeFileSync(join(boot, "vmlinuz-convert"), "earlier");
  const step = { kind: "refresh-rescue" as const, title: "", folder: boot };
  await refreshRescue(step, context);
  for (const name of ["vmlinuz-convert", "initramfs-convert.img"])
    expect(readFileSync(join(boot, name), "utf8")).toBe(`content of ${name}`);
  expect(readFileSync(join(boot, "grub/grubenv"), "utf8")).toBe("never touched");
  const inode = statSync(join(boot, "vmlinuz-convert")).ino;
  await refreshRescue(step, context);
  expect(statSync(join(boot, "vmlinuz-convert")).ino).toBe(inode);
  expect(context.notes).toEqual([
    "The rescue system is the package's now.",
    "The rescue system is the package's already.",
  ]);
});

test("a package that changed under our hands is no rescue system; the earlier one stays", async () => {
  const [source, boot] = [scratch(), scratch()];
  const context = installContext(rescuePackage(source));
  writeFileSync(join(source, "initramfs-convert.img"), "CONTENT of initramfs-convert.img");
  writeFileSync(join(boot, "vmlinuz-convert"), "earlier");
  await expect(refreshRescue({ kind: "refresh-rescue", title: "", folder: boot }, context)).rejects.toThrow(
    "changed while it was copied",
  );
  expect(readFileSync(join(boot, "vmlinuz-convert"), "utf8")).toBe("earlier");
  expect(existsSync(join(boot, "vmlinuz-convert.new"))).toBe(false);
});

test("Ctrl-C before the first step changes nothing, after it the slot is bad again", async () => {
  const { grubenv, stateFolder, read } = slots();
  const controller = new AbortController();
  const plan = planInstall(dualPlanInput());
  plan.steps = plan.steps
    .filter(({ kind }) => kind === "mark-slot-bad" || kind === "activate-slot")
    .map((step) => ({ ...step, grubenv, stateFolder }));
  const context = installContext({ plan, signal: controller.signal });
  controller.abort(new Error("stopped"));
  await expect(executeInstallPlan(context)).rejects.toThrow("stopped");
  await putDown(context);
  expect(read()).toEqual(Object.fromEntries(before));
  const failing = installContext({ plan });
  await executeInstallPlan(failing);
  expect(read()["ORDER"]).toBe("B A");
  // The last write went through, and its reading back was said to have failed.
  await putDown(failing);
  expect(read()).toMatchObject({ ORDER: "A B", A_OK: "1", B_OK: "0" });
});

test("tests can leave out what the order is good for", async () => {
  const { grubenv, stateFolder, read } = slots();
  const plan = planInstall(dualPlanInput());
  plan.steps = plan.steps
    .filter(({ kind }) => kind === "mark-slot-bad" || kind === "activate-slot")
    .map((step) => ({ ...step, grubenv, stateFolder }));
  const seen: string[] = [];
  const context = installContext({
    plan,
    without: new Set(["bad-first"]),
    report: (event) => {
      if (event.kind === "started") seen.push(`${event.step} B_OK=${read()["B_OK"]}`);
    },
  });
  await executeInstallPlan(context);
  expect(seen).toEqual(["mark-slot-bad B_OK=1", "activate-slot B_OK=1"]);
});
