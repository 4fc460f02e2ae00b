import type { Run } from "../../../agent/system/run.ts";

/** A Run that starts nothing: writes down what was asked and answers from `answers`, by `command first-argument` or `command`. */
export function recordingRun(answer: (line: string) => string | number = () => ""): {
  run: Run;
  commands: string[];
} {
  const commands: string[] = [];
  const run: Run = async (command, args) => {
    const line = [command, ...args].join(" ");
    commands.push(line);
    const given = answer(line);
    return typeof given === "number"
      ? { exitCode: given, stdout: "", stderr: "" }
      : { exitCode: 0, stdout: given, stderr: "" };
  };
  return { run, commands };
}
