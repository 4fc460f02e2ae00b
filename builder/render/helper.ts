import { isUtf8 } from "node:buffer";
import { formatSize } from "../../format/sizes.ts";
import type { HelperFacts, HelperRunResult } from "../helper/helper.ts";

/** How the helper was started, for people. */
export function helperLine(facts: HelperFacts): string {
  const { start, startSeconds, ramdiskBytes, memoryBytes, kernelVersion, accelerator } = facts;
  const how = start === "cold" ? "booted" : "restored";
  return `helper: ${how} in ${startSeconds.toFixed(2)} s (kernel ${kernelVersion}, ${accelerator}, ramdisk ${formatSize(ramdiskBytes)}, memory ${formatSize(memoryBytes)})`;
}

/** What a command in the helper gave. Output that is no UTF-8 text stands under another name, in Base64. */
export function helperDocument(result: HelperRunResult, facts: HelperFacts): object {
  return {
    ok: result.exitCode === 0,
    exitCode: result.exitCode,
    ...output("stdout", result.stdout),
    ...output("stderr", result.stderr),
    helper: facts,
  };
}

function output(name: string, bytes: Buffer): object {
  return isUtf8(bytes) ? { [name]: bytes.toString() } : { [`${name}Base64`]: bytes.toString("base64") };
}
