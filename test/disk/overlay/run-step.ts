import { statSync } from "node:fs";
import type { StoredFile } from "../../../agent/stash/stored-file.ts";
import { installBootFiles } from "../../../agent/steps/install-boot-files.ts";
import { rebuildInitramfs } from "../../../agent/steps/rebuild-initramfs.ts";
import { createRun } from "../../../agent/system/run.ts";
import { exampleManifest } from "../../unit/agent/example.ts";

/**
 * Runs one step of the agent in the throw-away system that this process runs in, which stands for the target:
 * `run-step.ts install-boot-files` or `run-step.ts rebuild-initramfs TARGET TOOL VERSION INITRAMFS`.
 */
const [kind, target = "/", tool, kernelVersion = "", initramfs = ""] = process.argv.slice(2);
const run = createRun((event) => {
  if (event.kind === "detail") process.stdout.write(`${event.message}\n`);
});
const written = new Map<string, string>();
/** The package in memory. */
const stored = (name: string): StoredFile => {
  const path = `/package/${name}`;
  const sizeBytes = statSync(path).size;
  return { name, path, ranges: [{ startBytes: 0, sizeBytes }], sizeBytes, sha256: "" };
};

if (kind === "rebuild-initramfs" && (tool === "dracut" || tool === "initramfs-tools")) {
  await rebuildInitramfs({ kind, title: "", target, tool, kernelVersion, initramfs }, { run, written });
} else if (kind === "install-boot-files") {
  await installBootFiles(
    {
      kind,
      title: "",
      target,
      bootFolder: "/boot/dualroot",
      volumeGroup: "VA",
      slots: [
        { name: "A", device: "/dev/mapper/VA-root_a", populated: true },
        { name: "B", device: "/dev/mapper/VA-root_b", populated: false },
      ],
      kernel: "/boot/vmlinuz-6.1.0-9",
      initramfs: "/boot/initrd.img-6.1.0-9",
      commandLine: "quiet",
      consoles: ["console=tty0", "console=ttyS0,115200"],
    },
    { run, stored, written, runtimeFolder: "/runtime", manifest: exampleManifest() },
  );
} else {
  throw new Error(`unknown step ${kind}`);
}
