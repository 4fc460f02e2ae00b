import { installBootFiles } from "../../../agent/steps/install-boot-files.ts";
import { rebuildInitramfs } from "../../../agent/steps/rebuild-initramfs.ts";
import { sha256File } from "../../../agent/system/files.ts";
import { createRun } from "../../../agent/system/run.ts";
import type { Manifest } from "../../../format/manifest.ts";
import { exampleManifest } from "../../unit/agent/example.ts";

/**
 * Runs one step of the agent in the throw-away system that this process runs in, which stands for the target:
 * `run-step.ts install-boot-files` or `run-step.ts rebuild-initramfs TARGET TOOL VERSION INITRAMFS`.
 */
const [kind, target = "/", tool, kernelVersion = "", initramfs = ""] = process.argv.slice(2);
const run = createRun((event) => {
  if (event.kind === "detail") process.stdout.write(`${event.message}\n`);
});
const packageFolder = "/package";

async function manifest(): Promise<Manifest> {
  const example = exampleManifest();
  const files = example.files.map(async (file) =>
    file.name === "vmlinuz-convert" || file.name === "initramfs-convert.img"
      ? { ...file, sha256: await sha256File(`${packageFolder}/${file.name}`) }
      : file,
  );
  return { ...example, files: await Promise.all(files) };
}

if (kind === "rebuild-initramfs" && (tool === "dracut" || tool === "initramfs-tools")) {
  await rebuildInitramfs({ kind, title: "", target, tool, kernelVersion, initramfs }, { run });
} else if (kind === "install-boot-files") {
  const wrong = process.env["BREAK_AFTER_DIGEST"];
  const described = await manifest();
  if (wrong) await run("sh", ["-c", `echo more >>${packageFolder}/${wrong}`]);
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
    { run, packageFolder, runtimeFolder: "/runtime", manifest: described },
  );
} else {
  throw new Error(`unknown step ${kind}`);
}
