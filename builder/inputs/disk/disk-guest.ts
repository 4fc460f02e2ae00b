import { readFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { userError } from "../../../format/errors.ts";
import type { Reporter } from "../../../format/events.ts";
import { MiB } from "../../../format/sizes.ts";
import type { Helper } from "../../helper/helper.ts";
import type { HelperDisk } from "../../helper/inspect-disk.ts";
import { openHelper } from "../../helper/open-helper.ts";
import type { RawPath } from "../../rootfs/raw-path.ts";
import { tarCommand } from "../../system/tar-command.ts";
import { chooseRoot, type RootChoice } from "./choose-root.ts";
import { activateVolumes, findFilesystems } from "./find-filesystems.ts";
import { findFormat } from "./listed-entries.ts";

const script = fileURLToPath(new URL("mount-root.sh", import.meta.url));

/** As a folder is packed on the host. Larger writes: the way out of an emulated machine is paid by the piece. */
const packCommand = tarCommand("/run/root", "--blocking-factor=256");

const findCommand: [string, ...string[]] = ["find", "/run/root", "-printf", findFormat];

/**
 * The helper with a machine's disks, started when it is first asked. The root is mounted for reading, with all that belongs to
 * it; nothing reaches the images.
 */
export class DiskGuest {
  readonly #disks: readonly HelperDisk[];
  readonly #report: Reporter;
  #started: Promise<Helper> | undefined;
  #choice: RootChoice | undefined;

  /** `choice`: what an earlier look at the same disks has found. */
  constructor(disks: readonly HelperDisk[], report: Reporter, choice?: RootChoice) {
    this.#disks = disks;
    this.#report = report;
    this.#choice = choice;
  }

  async choice(): Promise<RootChoice> {
    await this.#helper();
    return this.#choice!;
  }

  /** Everything in the root, in no order; `find` with `findFormat`. */
  async *list(): AsyncGenerator<Buffer> {
    yield* this.#output(findCommand);
  }

  /** A tar of these entries in this order, by their paths in the root, with its end. Whoever leaves it early ends the helper. */
  async *tar(paths: readonly RawPath[]): AsyncGenerator<Buffer> {
    const names = paths.map((path) => `./${path}\0`).join("");
    yield* this.#output(packCommand, Buffer.from(names, "latin1"));
  }

  /** Safe to call twice, and before it was started. */
  async close(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await (await started?.catch(() => undefined))?.kill();
  }

  #helper(): Promise<Helper> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<Helper> {
    const helper = await openHelper({ disks: this.#disks, report: this.#report });
    try {
      if (this.#choice) await activateVolumes(helper);
      else this.#choice = chooseRoot(await findFilesystems(helper));
      await mountRoot(helper, this.#choice);
      return helper;
    } catch (error) {
      await helper.kill();
      throw error;
    }
  }

  async *#output(command: [string, ...string[]], stdin?: Buffer): AsyncGenerator<Buffer> {
    const helper = await this.#helper();
    const stdout = new PassThrough({ highWaterMark: MiB });
    const run = helper.run(command, {
      stdout,
      acceptExitCodes: "any",
      ...(stdin ? { stdin } : {}),
    });
    // Looked at below; the end of the stream must not wait for that.
    run.then(
      () => stdout.end(),
      (error: unknown) => stdout.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    let isWhole = false;
    try {
      yield* stdout as AsyncIterable<Buffer>;
      isWhole = true;
    } finally {
      // A command cannot be stopped alone.
      if (!isWhole) await this.close();
    }
    const { exitCode, stderr } = await run;
    if (exitCode !== 0) throw damaged(stderr.toString());
  }
}

async function mountRoot(helper: Helper, { mounts }: RootChoice): Promise<void> {
  const words = mounts.flatMap(({ device, type, target, subvolume }) => [
    device,
    type,
    target,
    subvolume === undefined ? "ro" : `ro,${subvolume}`,
  ]);
  const { exitCode, stderr } = await helper.run(
    ["sh", "-c", await readFile(script, "utf8"), "sh", ...words],
    {
      acceptExitCodes: "any",
    },
  );
  if (exitCode === 3)
    throw userError({
      code: "disk-mount-point-missing",
      message: `the root's fstab cannot be followed: ${stderr.toString().trim()}`,
      hint: "Make the folder in the machine, or take the line out of /etc/fstab, and export it again.",
    });
  if (exitCode !== 0) throw damaged(stderr.toString());
}

function damaged(why: string): Error {
  return userError({
    code: "disk-filesystem-damaged",
    message: `the root filesystem cannot be read: ${why.trim().split("\n").slice(0, 3).join("; ").slice(0, 1000)}`,
    hint: "Shut the machine down cleanly, check the filesystem (fsck, xfs_repair), and export it again.",
  });
}
