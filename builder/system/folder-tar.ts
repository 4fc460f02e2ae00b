import type { Reporter } from "../../format/events.ts";
import { startArchiver } from "./archiver.ts";
import { tarCommand } from "./tar-command.ts";

export interface FolderTarInputs {
  root: string;
  /** What GNU tar archives, each `./path` ended by NUL, in this order, without recursion. */
  names: Buffer;
  report: Reporter;
}

/** GNU tar's archive of a folder, with its end: as the filesystem gives it, so it has to be packed again (repack-tar.ts). */
export async function* folderTar(inputs: FolderTarInputs): AsyncGenerator<Uint8Array> {
  const command = tarCommand(inputs.root);
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
