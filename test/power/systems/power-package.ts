import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { buildPackage } from "../../../builder/package/build-package.ts";
import { silent } from "../../../format/events.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeTargetTree, type TinyRelease } from "./target-tree.ts";

/**
 * The package that converts the tiny gateway, made by the real builder; signed with a development key, which lets tests leave
 * out safeguards. Sizes are the least the builder takes. `keys` is a folder with dev.key and dev.pub.
 */
export async function makePowerPackage(
  scratch: string,
  output: string,
  { keys, ...tiny }: TinyRelease & { keys: string },
): Promise<void> {
  const kernel = await debianKernel("cloud-amd64");
  const tree = join(scratch, "target");
  await mkdir(tree, { recursive: true });
  await makeTargetTree(tree, kernel, tiny);
  const volume = { size: "176 MiB", mountPoint: "/" };
  const release = {
    name: "tiny",
    version: tiny.version,
    compatible: "tiny-gateway",
    counter: tiny.counter,
    sign: { key: join(keys, "dev.key") },
    trustedKeys: [join(keys, "dev.pub")],
    rootfs: { source: tree },
    // The tree has no more than the tiny system's own drivers; the ramdisk wants those of every gateway.
    kernel: { image: kernel.image, modules: kernel.modulesFolder },
    layout: {
      bootSize: "256 MiB",
      volumes: [
        { name: "root_a", slot: "A", ...volume },
        { name: "root_b", slot: "B", ...volume },
        { name: "data", size: "16 MiB", mountPoint: "/data" },
      ],
    },
    target: { commandLine: "quiet console=ttyS0,115200" },
    preserve: ["/etc/site"],
    compression: { xzLevel: 1 },
  };
  const file = join(scratch, "release.yaml");
  await writeFile(file, stringify(release));
  await buildPackage(file, output, silent);
}
