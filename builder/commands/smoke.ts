import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readBounded } from "../../agent/system/files.ts";
import { exitCodes, userError } from "../../format/errors.ts";
import { manifestMaxBytes, manifestName, manifestSchema, type Manifest } from "../../format/manifest.ts";
import { parseSize } from "../../format/sizes.ts";
import { printResult } from "../render/print.ts";
import { createProgress } from "../render/progress.ts";
import type { SmokeOptions } from "../smoke/options.ts";
import { renderReport } from "../smoke/render-report.ts";
import type { SmokeReport } from "../smoke/report.ts";
import { runSmoke } from "../smoke/run-smoke.ts";

export interface SmokeCommandOptions {
  gateway: string;
  user: string;
  passwordFile?: string | undefined;
  memory: string;
  boot: "auto" | "kexec" | "grub";
  processor: "max" | "plain";
  nicMac?: string | undefined;
  fromUrl?: true | undefined;
  out: string;
  keep?: true | undefined;
  json?: true | undefined;
}

/** QEMU's own default. */
const defaultMacAddress = "52:54:00:12:34:56";

/** Exit code 0 when converted and everything holds, 4 when stage 1 refused, 5 for anything else. */
export async function smokeCommand(
  packageFolder: string,
  command: SmokeCommandOptions,
): Promise<SmokeReport> {
  const manifest = await readManifest(packageFolder);
  const options: SmokeOptions = {
    packageFolder,
    gateway: command.gateway,
    user: command.user,
    password: await readPassword(command.passwordFile),
    memoryBytes:
      parseSize(command.memory) ??
      refuse("bad-size", `--memory ${command.memory} is not a size.`, "Write it like 1 GiB or 768MiB."),
    bootMethod: command.boot,
    processor: command.processor,
    macAddress: readMacAddress(command.nicMac),
    fromUrl: command.fromUrl ?? false,
    outputFolder: command.out,
    keep: command.keep ?? false,
  };
  const result = await runSmoke(options, manifest, createProgress());
  printResult(command.json, result, () => renderReport(result));
  process.exitCode = {
    converted: exitCodes.success,
    refused: exitCodes.refused,
    failed: exitCodes.stepFailed,
  }[result.outcome];
  return result;
}

async function readManifest(folder: string): Promise<Manifest> {
  const bytes = await readBounded(join(folder, manifestName), manifestMaxBytes);
  if (!bytes)
    return refuse(
      "manifest-missing",
      `${folder} has no ${manifestName}.`,
      "Give the folder that `dualroot build` made.",
    );
  const parsed = manifestSchema.safeParse(parseJson(bytes.toString("utf8")));
  if (parsed.success) return parsed.data;
  return refuse(
    "manifest-invalid",
    `${join(folder, manifestName)} is not a manifest.`,
    "Build the package again with this version of dualroot.",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readPassword(file: string | undefined): Promise<string> {
  const text =
    file === undefined
      ? process.env["DUALROOT_PASSWORD"]
      : await readFile(file, "utf8").catch(() => undefined);
  const password = text?.replace(/\r?\n$/, "");
  if (password !== undefined && /^[^\n\r]+$/.test(password)) return password;
  return refuse(
    "password-missing",
    file === undefined
      ? "There is no password for the gateway's console."
      : `${file} does not hold a password in one line.`,
    "Give it with --password-file, or in the environment variable DUALROOT_PASSWORD.",
  );
}

function readMacAddress(text: string | undefined): string {
  const address = (text ?? defaultMacAddress).toLowerCase();
  if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address)) return address;
  return refuse(
    "bad-mac-address",
    `--nic-mac ${address} is not a MAC address.`,
    "Write it like 52:54:00:12:34:56.",
  );
}

function refuse(code: string, message: string, hint: string): never {
  throw userError({ code, message, hint }, "badInput");
}
