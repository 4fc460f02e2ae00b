import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRun } from "../../../agent/system/run.ts";
import { silent } from "../../../format/events.ts";
import { cachedFolder } from "../../fixtures/cache.ts";
import { powerPackage, tinySystemInputs } from "../systems/cached-package.ts";
import { makeOldDisk } from "../systems/old-disk.ts";
import type { OldStack } from "../systems/old-tree.ts";
import { checkRecordedIdentity } from "./check-recorded-identity.ts";
import { makeRecording } from "./make-recording.ts";
import { recordingFiles } from "./recording.ts";

const run = createRun(silent, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` });

/** Half a gigabyte each. Long enough for a sweep over one to end while the code changes. */
const keepHours = 6;

export interface ConversionKind {
  stack: OldStack;
  /** Words for `upgrade.sh convert` besides those that make it ask nothing. */
  arguments?: readonly string[];
  /** For stage 1's environment. */
  environment?: Readonly<Record<string, string>>;
}

/** Folder with the recording of a whole conversion, from the old system's boot to the new one's commit; made again when the code has changed. */
export async function conversionRecording(kind: ConversionKind): Promise<string> {
  const disk = await oldDisk(kind.stack);
  const packageFolder = await powerPackage();
  const inputs = [disk, packageFolder, JSON.stringify(kind), ...(await tinySystemInputs())];
  return cachedFolder({ name: `power-recording-${kind.stack}`, inputs, keepHours }, async (folder) => {
    const media = join(folder, "media.img");
    await makeMedia(packageFolder, kind, join(folder, "media"), media);
    const settings = Object.entries(kind.environment ?? {}).map(([name, value]) => `${name}=${value}`);
    const title = [kind.stack, ...(kind.arguments ?? []), ...settings].join(" ");
    await makeRecording({ title, disk, media }, folder);
    await rm(media);
    checkRecordedIdentity(await readFile(join(folder, recordingFiles.console), "utf8"));
  });
}

async function oldDisk(stack: OldStack): Promise<string> {
  const inputs = [stack, ...(await tinySystemInputs())];
  const folder = await cachedFolder({ name: `power-old-${stack}`, inputs }, (scratch) =>
    makeOldDisk(join(scratch, "disk.img"), stack),
  );
  return join(folder, "disk.img");
}

/** The stick an operator carries: the package, and what the old system's init is to run it with. */
async function makeMedia(
  packageFolder: string,
  kind: ConversionKind,
  tree: string,
  image: string,
): Promise<void> {
  await mkdir(tree, { recursive: true });
  await cp(packageFolder, join(tree, "package"), { recursive: true });
  const words = ["convert", "--yes", "--allow-development-key", "--boot", "kexec", ...(kind.arguments ?? [])];
  await writeFile(join(tree, "arguments"), `${words.join(" ")}\n`);
  const settings = Object.entries(kind.environment ?? {}).map(
    ([name, value]) => `export ${name}='${value}'\n`,
  );
  await writeFile(join(tree, "environment"), settings.join(""));
  await run("truncate", ["-s", "160M", image]);
  await run("mke2fs", ["-q", "-F", "-t", "ext4", "-d", tree, image]);
  await rm(tree, { recursive: true });
}
