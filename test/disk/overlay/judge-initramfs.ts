import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judgePlatforms } from "../../../builder/plan/judge-platforms.ts";
import { initramfsContents } from "../../../builder/rootfs/initramfs-contents.ts";
import { initramfsSettingsFile } from "../../../builder/rootfs/initramfs-settings.ts";
import { kernelDrivers } from "../../../builder/rootfs/kernel-drivers.ts";
import { shownPath } from "../../../builder/rootfs/raw-path.ts";
import { platforms } from "../../../format/platforms.ts";

/**
 * Looks at an initramfs inside a throw-away system: `judge-initramfs.ts ROOT VERSION IMAGE [TOOL]` prints one line of JSON with
 * what each platform gets; with a tool it then lays the tool's settings as a package would.
 */
const [root = "/", version = "", image = "", tool] = process.argv.slice(2);
const { platforms: verdicts, diskModules } = judgePlatforms(
  {
    kernel: { version },
    drivers: await kernelDrivers(root, join("/lib/modules", version)),
    initramfs: await initramfsContents(join(root, image)),
  },
  [...platforms],
);
process.stdout.write(`VERDICTS ${JSON.stringify(verdicts)}\n`);
if (tool === "dracut" || tool === "initramfs-tools") {
  const file = initramfsSettingsFile({ tool, modules: diskModules });
  if (file.type !== "file" || "source" in file.content) throw new Error("the settings are a file");
  const path = join(root, shownPath(file.path));
  writeFileSync(path, file.content);
  chmodSync(path, file.mode);
}
