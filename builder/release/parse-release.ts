import { resolve } from "node:path";
import type * as z from "zod";
import { UserError, type Problem } from "../../format/errors.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { Release } from "./release.ts";
import { releaseSchema, type ReleaseDocument } from "./release-schema.ts";
import { checkRules } from "./rules.ts";
import { allowedKeys, allowedText, schemaAt } from "./schema-at.ts";
import { keyPath, parseYaml, type SourceMap } from "./source-map.ts";

/**
 * release.yaml's text -> Release. Every problem is found before any is thrown; each names file:line:column and key.
 * `file` is used for messages, `folder` to make paths absolute; nothing is read.
 */
export function parseRelease(text: string, file: string, folder: string): Release {
  const { document, map } = parseYaml(text);
  if (document.errors.length > 0) {
    throw new UserError(
      document.errors.map((error) => {
        const before = text.slice(0, error.pos[0]).split("\n");
        return {
          code: "release-not-yaml",
          message: `${file} is not valid YAML: ${error.message}`,
          hint: "Indent with spaces, and quote text that contains : or #.",
          where: `${file}:${before.length}:${before.at(-1)!.length + 1}`,
        };
      }),
    );
  }
  const result = releaseSchema.safeParse(plainValue(document, file));
  if (!result.success)
    throw new UserError(result.error.issues.flatMap((issue) => problemsOf(issue, file, map)));
  const release = resolveRelease(result.data, folder);
  const problems = checkRules(release).map(({ path, ...problem }) => located(problem, path, file, map));
  if (problems.length > 0) throw new UserError(problems);
  return release;
}

/** Expands aliases within yaml's own limit, so that a "billion laughs" file is refused, not swallowed. */
function plainValue(document: { toJS(options: { maxAliasCount: number }): unknown }, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    const problem = {
      code: "release-not-yaml",
      message: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      hint: "Write the values out instead of using YAML aliases.",
      where: `${file}:1:1`,
    };
    throw new UserError([problem], "badInput", { cause: error });
  }
}

function problemsOf(issue: z.core.$ZodIssue, file: string, map: SourceMap): Problem[] {
  const schema = schemaAt(releaseSchema, issue.path);
  if (issue.code === "unrecognized_keys") {
    const allowed = allowedKeys(schema);
    return issue.keys.map((key) => {
      const guess = didYouMean(key, allowed);
      const problem = {
        code: "release-unknown-key",
        message: `unknown key "${key}"`,
        hint: `${guess ? `Did you mean "${guess}"? ` : ""}Allowed here: ${allowed.join(", ")}.`,
      };
      return located(problem, [...issue.path, key], file, map, "key");
    });
  }
  const key = keyPath(issue.path) || "the release";
  const allowedHere = allowedText(schema);
  const hint = allowedHere ? `Allowed: ${allowedHere}.` : "See docs/release-yaml.md.";
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  if (missing)
    return [
      located({ code: "release-missing-key", message: `"${key}" is missing`, hint }, issue.path, file, map),
    ];
  const code =
    issue.code === "invalid_type" || issue.code === "invalid_union"
      ? "release-wrong-type"
      : "release-wrong-value";
  const message =
    issue.code === "invalid_union"
      ? "wrong type of value"
      : issue.message.replace(/^Invalid (input|option|string): /, "");
  return [located({ code, message: `${key}: ${message}`, hint }, issue.path, file, map)];
}

function located(
  problem: Problem,
  path: readonly PropertyKey[],
  file: string,
  map: SourceMap,
  what: "key" | "value" = "value",
): Problem {
  const { line, column } = map.locate(path, what);
  return { ...problem, where: `${file}:${line}:${column} ${keyPath(path)}`.trimEnd() };
}

function resolveRelease(document: ReleaseDocument, folder: string): Release {
  const { layout, rootfs, kernel, requirements, target } = document;
  return {
    name: document.name,
    version: document.version,
    compatible: document.compatible,
    counter: document.counter,
    signingKeyFile: resolve(folder, document.sign.key),
    trustedKeyFiles: document.trustedKeys.map((file) => resolve(folder, file)),
    rootfs: {
      source: resolve(folder, rootfs.source),
      allowBackingFile: rootfs.allowBackingFile,
      exclude: rootfs.exclude,
      keep: rootfs.keep,
      ...(rootfs.overlay === undefined ? {} : { overlay: resolve(folder, rootfs.overlay) }),
    },
    ...(kernel
      ? { kernel: { image: resolve(folder, kernel.image), modules: resolve(folder, kernel.modules) } }
      : {}),
    target: {
      commandLine: target.commandLine,
      network: target.network,
      ...(target.selinux === undefined ? {} : { selinux: target.selinux }),
    },
    ...(document.platforms === undefined ? {} : { platforms: document.platforms }),
    layout: {
      biosBootBytes: layout.biosBootSize,
      bootBytes: layout.bootSize,
      volumeGroup: layout.volumeGroup,
      extentBytes: layout.extentSize,
      volumes: layout.volumes.map(({ size, ...volume }) => ({ ...volume, sizeBytes: size })),
    },
    preserve: document.preserve,
    keepOldSystem: document.keepOldSystem,
    requirements: {
      ...(requirements.memory === undefined ? {} : { memoryBytes: requirements.memory }),
      ...(requirements.disk === undefined ? {} : { diskBytes: requirements.disk }),
    },
    ...(document.rauc ? { rauc: resolveRauc(document.rauc, folder) } : {}),
    compression: { xzLevel: document.compression.xzLevel, blockBytes: document.compression.blockSize },
  };
}

function resolveRauc(
  { keyring, bundle }: NonNullable<ReleaseDocument["rauc"]>,
  folder: string,
): NonNullable<Release["rauc"]> {
  if (!bundle) return { keyringFile: resolve(folder, keyring) };
  return {
    keyringFile: resolve(folder, keyring),
    bundle: {
      certificateFile: resolve(folder, bundle.certificate),
      keyFile: bundle.key.startsWith("pkcs11:") ? bundle.key : resolve(folder, bundle.key),
      intermediateFiles: bundle.intermediates.map((file) => resolve(folder, file)),
    },
  };
}
