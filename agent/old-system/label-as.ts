import type { TargetWriter } from "../identity/restore/target-writer.ts";
import type { Run } from "../system/run.ts";

const attribute = "security.selinux";

/**
 * Gives new files the SELinux label of one that is there: the ramdisk has no policy that would do it, and what has no label an
 * enforcing system may neither read nor run. Nothing to do where the old system has no labels.
 */
export async function labelAs(
  run: Run,
  writer: TargetWriter,
  reference: string,
  paths: readonly string[],
): Promise<void> {
  const from = await writer.resolve(reference);
  if (from === undefined || (await writer.lstat(from)) === undefined) return;
  const { stdout } = await run(
    "getfattr",
    ["--absolute-names", "--encoding=hex", "--name", attribute, writer.outside(from)],
    { acceptExitCodes: [1] },
  );
  const label = new RegExp(`^${attribute}=(0x[0-9a-f]+)$`, "m").exec(stdout)?.[1];
  if (label === undefined) return;
  for (const path of paths) {
    const there = (await writer.resolve(path, { keepLast: true })) ?? path;
    await run("setfattr", ["--no-dereference", "--name", attribute, "--value", label, writer.outside(there)]);
  }
}
