import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { buildPackage } from "../../../builder/package/build-package.ts";
import { createKeyPair } from "../../../builder/package/create-key-pair.ts";
import { silent } from "../../../format/events.ts";
import { debianKernel } from "../../fixtures/kernels.ts";
import { makeTargetTree } from "./target-tree.ts";

/**
 * The package that converts the tiny gateway, made by the real builder; signed with a development key, which lets tests leave
 * out safeguards. Sizes are the least the builder takes.
 */
export async function makePowerPackage(scratch: string, output: string): Promise<void> {
  const kernel = await debianKernel("cloud-amd64");
  const tree = join(scratch, "target");
  await mkdir(tree, { recursive: true });
  await makeTargetTree(tree, kernel);
  const { privateFile, publicFile } = await createKeyPair(join(scratch, "keys"), "dev");
  const volume = { size: "176 MiB", mountPoint: "/" };
  const release = {
    name: "tiny",
    version: "2",
    compatible: "tiny-gateway",
    counter: 1,
    sign: { key: privateFile },
    trustedKeys: [publicFile],
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
