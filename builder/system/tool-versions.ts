import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** First lines of `TOOL --version`, for the keys of caches: another version may write other bytes. */
export async function toolVersions(tools: readonly string[]): Promise<string> {
  const lines = await Promise.all(
    tools.map(async (tool) => {
      const { stdout } = await run(tool, ["--version"], { env: { ...process.env, LC_ALL: "C" } }).catch(
        () => ({ stdout: "missing" }),
      );
      return stdout.split("\n", 1)[0]!;
    }),
  );
  return lines.join("; ");
}
