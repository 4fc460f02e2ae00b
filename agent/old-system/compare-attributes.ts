import { join, resolve } from "node:path";
import { StepError } from "../../format/errors.ts";
import type { Reporter } from "../../format/events.ts";
import { pipelineOutput } from "../system/pipeline-output.ts";
import { attributesText } from "./attributes-text.ts";

/**
 * Throws unless the files below the folder have the extended attributes of the archive: each those, and no other file any.
 * `expected`: see ArchiveAttributes; it is used up.
 */
export async function compareAttributes(
  expected: Map<string, string>,
  folder: string,
  report: Reporter,
): Promise<void> {
  const wrong: string[] = [];
  const count = expected.size;
  for await (const { path, attributes } of listAttributes(resolve(folder), report)) {
    const found = attributesText(attributes);
    if (found !== (expected.get(path) ?? "")) wrong.push(path);
    expected.delete(path);
  }
  wrong.push(...expected.keys());
  const [first] = wrong;
  if (first !== undefined)
    throw new StepError(
      `extended attributes read back other than they were at ${wrong.length} places, among them ${join("/", first)}`,
    );
  report({ kind: "detail", message: `extended attributes read back: those of ${count} files` });
}

interface Listed {
  path: string;
  attributes: ReadonlyMap<string, string>;
}

/** All files that have any, by getfattr's own walk: one process for all of them. */
async function* listAttributes(folder: string, report: Reporter): AsyncGenerator<Listed> {
  const output = pipelineOutput({
    report,
    commands: [
      [
        "getfattr",
        "--dump",
        "--recursive",
        "--physical",
        "--no-dereference",
        "--absolute-names",
        "--match=-",
        "--encoding=hex",
        folder,
      ],
    ],
  });
  let path: string | undefined;
  let attributes = new Map<string, string>();
  for await (const line of lines(output)) {
    const [, file] = /^# file: (.*)$/s.exec(line) ?? [];
    if (file !== undefined) {
      path = unescape(file).slice(folder.length).replace(/^\/+/, "") || ".";
      attributes = new Map();
    } else if (line === "" && path !== undefined) {
      yield { path, attributes };
      path = undefined;
    } else if (path !== undefined) {
      const equals = line.indexOf("=");
      const name = equals < 0 ? line : line.slice(0, equals);
      attributes.set(unescape(name), equals < 0 ? "" : line.slice(equals + 1).replace(/^0x/, ""));
    }
  }
  if (path !== undefined) yield { path, attributes };
}

/** Its way with bytes that would break a line. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** One character a byte. */
async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const parts = (rest + chunk.toString("latin1")).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
