import type { Reporter } from "../../format/events.ts";
import { startArchiver } from "./archiver.ts";

export interface FolderTarInputs {
  root: string;
  /** What GNU tar archives, each `./path` ended by NUL, in this order, without recursion. */
  names: Buffer;
  /** Seconds: later modification times are set back to it. */
  sourceDateEpoch: number;
  /** Some file has holes. */
  sparse: boolean;
  report: Reporter;
}

/** GNU tar's archive of a folder, with its end. */
export async function* folderTar(inputs: FolderTarInputs): AsyncGenerator<Uint8Array> {
  const command = tarArguments(inputs);
  inputs.report({ kind: "detail", message: `$ ${command.join(" ")}` });
  yield* tarOutput(command, inputs.names);
}

/** An archive of a few folders that is only made to look at their SELinux labels. */
export async function* labelledTar(root: string, names: Buffer): AsyncGenerator<Uint8Array> {
  const options = ["--no-recursion", "--null", "--verbatim-files-from", "--no-unquote", "--files-from=-"];
  const labels = ["--format=pax", "--xattrs", "--xattrs-include=security.selinux"];
  yield* tarOutput(["tar", "--create", "--directory", root, ...options, ...labels], names);
}

async function* tarOutput(command: readonly string[], names: Buffer): AsyncGenerator<Uint8Array> {
  const tar = startArchiver(command);
  try {
    tar.child.stdin!.end(names);
    yield* tar.child.stdout as AsyncIterable<Buffer>;
    await tar.succeeded();
  } finally {
    tar.child.kill();
  }
}

/** ACLs and SELinux labels travel as plain xattrs: `--acls` would write the build host's user names. */
function tarArguments({ root, sourceDateEpoch, sparse }: FolderTarInputs): string[] {
  const options = [
    "--create",
    "--directory",
    root,
    "--no-recursion",
    "--null",
    "--verbatim-files-from",
    "--no-unquote",
    "--files-from=-",
    "--format=pax",
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=*",
    // To root, XFS shows each ACL a second time, in the form it has on the disk.
    "--xattrs-exclude=trusted.SGI_ACL_*",
    "--clamp-mtime",
    `--mtime=@${sourceDateEpoch}`,
  ];
  if (!sparse) return ["tar", ...options];
  // tar writes its process id into the names of sparse entries. In a process id space of its own it is always 1.
  return [
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "tar",
    ...options,
    "--sparse",
    "--hole-detection=raw",
  ];
}
