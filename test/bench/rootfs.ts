import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { folderRoot } from "../../builder/inputs/folder-root.ts";
import { selectEntries } from "../../builder/rootfs/select-entries.ts";
import { targetRootFilesystem } from "../fixtures/root-filesystem.ts";
import { benchRow, type BenchRow } from "./bench-row.ts";
import { packRoot, xzLevel } from "./pack-root.ts";

/**
 * rootfs.tar.xz of the tests' target against `tar | xz -T0`: the same files at the same level on the same disk, in turn. Ours
 * also hashes every file and lays the overlay.
 */
export async function benchRootfs(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "dualroot-bench-"));
  try {
    // A folder, so that both sides read the same files.
    const root = join(folder, "root");
    await mkdir(root);
    execFileSync("tar", [
      "-C",
      root,
      "-xpf",
      await targetRootFilesystem(),
      "--numeric-owner",
      "--xattrs",
      "--xattrs-include=*",
    ]);
    const source = await folderRoot(root);
    const { kept } = selectEntries(source.entries, { exclude: [], keep: [] });
    const names = join(folder, "names");
    await writeFile(names, Buffer.from(kept.map((entry) => `./${entry.path}\0`).join(""), "latin1"));
    // Both read from memory, so that neither pays for the disk.
    execFileSync("sh", ["-c", 'tar -C "$0" -cf - . | cat > /dev/null', root]);

    const [ours, peer] = [join(folder, "ours"), join(folder, "peer")];
    await mkdir(ours);
    await mkdir(peer);
    const peerSeconds = await seconds(async () => {
      const script = `tar -C "$0" --no-recursion --null -T "$1" --numeric-owner --xattrs --xattrs-include='*' -cf - | xz -T0 -${xzLevel} > "$2"`;
      execFileSync(
        "bash",
        ["--norc", "-o", "pipefail", "-c", script, root, names, join(peer, "rootfs.tar.xz")],
        {
          stdio: "inherit",
        },
      );
    });
    const ourSeconds = await seconds(() => packRoot(source, folder, join(ours, "rootfs.tar.xz")));
    const size = async (path: string) => (await stat(join(path, "rootfs.tar.xz"))).size;
    return [
      benchRow("rootfs.tar.xz: time against tar | xz -T0", ourSeconds, peerSeconds, 1.05, "s"),
      benchRow("rootfs.tar.xz: size against tar | xz -T0", await size(ours), await size(peer), 1, "bytes"),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}
