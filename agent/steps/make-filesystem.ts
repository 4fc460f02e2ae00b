import { StepError } from "../../format/errors.ts";
import { probeSignatures } from "../facts/probe-signatures.ts";
import type { StepOf } from "../plan/step.ts";
import type { SlotContext } from "./step-context.ts";

/**
 * Named one by one, so that no mke2fs.conf of any build host decides: what GRUB 2.02 and the e2fsprogs 1.42 and kernel
 * 3.10 of the oldest targets know. metadata_csum, metadata_csum_seed and orphan_file are what they do not.
 */
const ext4Features =
  "has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,uninit_bg";

/** xfs v5 as GRUB 2.02 and kernel 3.10 read it: no sparse inodes, big timestamps, large extent counts, reflinks. */
const xfsMetadata = "crc=1,finobt=1,bigtime=0,inobtcount=0,reflink=0,rmapbt=0";
const xfsFormat = ["-i", "sparse=0,nrext64=0", "-n", "ftype=1"];

/** Makes the filesystem and reads its UUID back from the medium. */
export async function makeFilesystem(
  step: StepOf<"make-filesystem">,
  { run }: Pick<SlotContext, "run">,
): Promise<void> {
  await run(...makeCommand(step));
  await run("blockdev", ["--flushbufs", step.device]);
  const found = await probeSignatures(run, step.device);
  if (found.type !== step.type || found.uuid !== step.uuid) {
    throw new StepError(
      `${step.device} holds ${found.type ?? "nothing"} ${found.uuid ?? ""} instead of ${step.type} ${step.uuid}`,
    );
  }
}

export function makeCommand({ type, device, uuid, label }: StepOf<"make-filesystem">): [string, string[]] {
  // No discard of the whole device, which takes minutes on some: fstrim does that later.
  if (type === "xfs") {
    const metadata = ["-m", `${xfsMetadata},uuid=${uuid}`];
    return ["mkfs.xfs", ["-f", "-q", "-K", "-L", label, ...metadata, ...xfsFormat, device]];
  }
  const format = [
    "-b",
    "4096",
    "-O",
    `none,${ext4Features}`,
    "-E",
    "lazy_itable_init=1,lazy_journal_init=1,nodiscard",
  ];
  return ["mkfs.ext4", ["-F", "-q", ...format, "-U", uuid, "-L", label, device]];
}
