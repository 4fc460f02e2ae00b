import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeSlot } from "../../../../agent/install/steps/describe-slot.ts";
import { describeRelease } from "../../../../agent/slot/system-file.ts";
import { exampleManifest } from "../example.ts";
import { recordingRun } from "../recording-run.ts";

/** Describes a new slot on a gateway with these keys of its own; gives the slot's. */
async function keysOfNewSlot(own?: string): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "describe-slot-"));
  const [root, target, runtimeFolder] = ["root", "target", "runtime"].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(join(root, "etc/dualroot"), { recursive: true });
  mkdirSync(join(target, "boot"), { recursive: true });
  mkdirSync(join(runtimeFolder, "usr/lib/dualroot"), { recursive: true });
  if (own !== undefined) writeFileSync(join(root, "etc/dualroot/keys.json"), own);
  writeFileSync(join(runtimeFolder, "usr/lib/dualroot/keys.json"), "the package's");
  const [kernel, initramfs] = ["/boot/vmlinuz-6", "/boot/initrd.img-6"];
  const { run } = recordingRun(() => {
    const words = { kernel, initrd: initramfs, arguments: "quiet" };
    const lines = Object.entries(words).map(([name, value]) => `set dualroot_${name}='${value}'\n`);
    writeFileSync(join(target, "boot/slot.cfg"), lines.join(""));
    return "";
  });
  const system = describeRelease(exampleManifest(), "B", "VA");
  const paths = { root, target, kernel, initramfs };
  const step = { kind: "describe-slot" as const, title: "", system, commandLine: "", volumes: "", ...paths };
  await describeSlot(step, { run, written: new Map(), runtimeFolder });
  return readFileSync(join(target, "etc/dualroot/keys.json"), "utf8");
}

test("the gateway's keys go on to the new slot", async () => {
  expect(await keysOfNewSlot("the gateway's")).toBe("the gateway's");
});

test("a gateway without keys gets those that the package was judged by", async () => {
  expect(await keysOfNewSlot()).toBe("the package's");
});
