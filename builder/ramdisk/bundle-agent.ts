import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { InternalError } from "../../format/errors.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

export const agentEntry = fileURLToPath(new URL("../../agent/main.ts", import.meta.url));

/** Packages written for `require` find it here: an ES module has none. */
const requireBanner =
  'import{createRequire as dualrootCreateRequire}from"node:module";const require=dualrootCreateRequire(import.meta.url);';

/** The agent with all it imports as one ES module for Node 20, the same bytes for the same sources. Names stay readable in stack traces. */
export async function bundleAgent(entry: string = agentEntry): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [entry],
    absWorkingDir: repository,
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "esm",
    minify: true,
    keepNames: true,
    legalComments: "none",
    charset: "utf8",
    banner: { js: requireBanner },
    logLevel: "silent",
  });
  const output = result.outputFiles[0];
  if (!output) throw new InternalError("esbuild made no agent");
  return output.contents;
}
