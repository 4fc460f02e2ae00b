import { CommanderError } from "commander";
import { exitCodeOf, exitCodes } from "../format/errors.ts";
import { createProgram } from "./cli.ts";
import { renderError } from "./render/error.ts";
import { environmentFault } from "./system/environment-fault.ts";

/** The only place where errors end: everything below throws, this prints and sets the exit code. */
try {
  await createProgram().parseAsync(process.argv);
} catch (thrown) {
  const error = environmentFault(thrown);
  if (error instanceof CommanderError) {
    // commander has printed its own message; `--help` and `--version` are not errors.
    process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  } else {
    // What stands behind `--` is somebody else's.
    const own = process.argv.join("\0").split("\0--\0")[0]!.split("\0");
    renderError(error, { json: own.includes("--json") });
    process.exitCode = exitCodeOf(error);
  }
}
