import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { pipelineOutput } from "../../../../agent/system/pipeline-output.ts";
import { silent } from "../../../../format/events.ts";

type Command = [string, ...string[]];

async function collect(...commands: Command[]): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of pipelineOutput({ report: silent, commands })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("gives the last command's output, byte for byte", async () => {
  expect(await collect(["printf", "b\\na\\n"], ["sort"], ["tr", "a", "x"])).toBe("x\nb\n");
  expect(await collect(["printf", "alone"])).toBe("alone");
  const many = await collect(["head", "-c", "5000000", "/dev/zero"], ["gzip", "-1"], ["gzip", "-dc"]);
  expect(many.length).toBe(5_000_000);
});

test.each<[string, Command[], RegExp]>([
  ["the first one fails", [["sh", "-c", "echo half; exit 3"], ["cat"]], /sh: exit code 3/],
  [
    "the last one fails",
    [
      ["echo", "x"],
      ["sh", "-c", "cat; echo why >&2; exit 4"],
    ],
    /exit code 4 \(why\)/,
  ],
  ["one is killed", [["sh", "-c", "kill -9 $$"], ["cat"]], /killed by SIGKILL/],
  ["one is not there", [["no-such-program-anywhere"], ["cat"]], /no-such-program-anywhere/],
])("%s: the stream ends with an error, though its output came", async (_, commands, message) => {
  await expect(collect(...commands)).rejects.toThrow(message);
});

test("whoever stops reading ends them all", async () => {
  const mark = `${process.pid}987654321`;
  for await (const chunk of pipelineOutput({
    report: silent,
    commands: [["sh", "-c", `while :; do echo ${mark}; done`], ["cat"]],
  })) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(execFileSync("ps", ["-eo", "args"], { encoding: "utf8" })).not.toContain(mark);
});
