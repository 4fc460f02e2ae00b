import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { userError } from "../../format/errors.ts";
import { readElf, type ElfFacts } from "./elf.ts";
import { openReadAt } from "./read-at.ts";

/** A shared library of the build host, under the name programs ask for it by. */
export interface Library {
  name: string;
  path: string;
}

const defaultFolders = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/lib64",
  "/usr/lib64",
  "/lib",
  "/usr/lib",
];

/**
 * Libraries glibc itself opens by name, which no header lists: libgcc_s for pthread_cancel and C++ exceptions.
 * Since glibc 2.34 host names and /etc files are looked up without NSS plugins.
 */
const openedByGlibc = ["libgcc_s.so.1"];

/**
 * Everything the dynamic linker will load for these programs, breadth first as it does, plus their interpreter.
 * A run path belongs to the file that has it: it is not handed down to the libraries it needs.
 */
export function libraryClosure(programs: readonly string[]): { libraries: Library[]; interpreter: string } {
  const folders = hostLibraryFolders();
  const found = new Map<string, string>();
  let interpreter: string | undefined;
  const queue = programs.map((path) => realpathSync(path));
  const want = (name: string, runPaths: readonly string[], neededBy: string, isOptional: boolean): void => {
    if (found.has(name) || name.startsWith("ld-linux")) return;
    const path = [...runPaths, ...folders].map((folder) => join(folder, name)).find((path) => isUsable(path));
    if (path === undefined) {
      if (isOptional) return;
      throw userError({
        code: "library-missing",
        message: `${neededBy} needs the library ${name}, which is not on this machine.`,
        hint: `Reinstall the package of ${neededBy} ("dpkg -S ${neededBy}" names it).`,
      });
    }
    found.set(name, realpathSync(path));
    queue.push(realpathSync(path));
  };
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    const elf = readElfFile(path);
    if (!elf) continue;
    interpreter ??= elf.interpreter;
    const origin = dirname(path);
    const runPaths = elf.runPaths.map((folder) => folder.replace(/\$\{?ORIGIN\}?/, origin));
    for (const name of elf.needed) want(name, runPaths, path, false);
    for (const name of elf.opened) want(name, runPaths, path, true);
    if (queue.length === 0) for (const name of openedByGlibc) want(name, [], "glibc", false);
  }
  if (interpreter === undefined) {
    throw userError({
      code: "interpreter-missing",
      message: "None of the ramdisk's tools names a dynamic linker.",
      hint: "Build on a glibc-based x86-64 Linux, Debian 12 or later.",
    });
  }
  const libraries = [...found].map(([name, path]) => ({ name, path }));
  return { libraries, interpreter: realpathSync(interpreter) };
}

export function readElfFile(path: string): ElfFacts | undefined {
  const { readAt, close } = openReadAt(path);
  try {
    return readElf(readAt);
  } finally {
    close();
  }
}

/** ld.so's own order: configured folders first, then the built-in ones. */
function hostLibraryFolders(): string[] {
  const folder = "/etc/ld.so.conf.d";
  const configured = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".conf"))
        .sort()
        .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
        .map((line) => line.replace(/#.*/, "").trim())
        .filter((line) => line.startsWith("/"))
    : [];
  return [...new Set([...configured, ...defaultFolders])];
}

/** A 32-bit library of the same name must not be taken. */
function isUsable(path: string): boolean {
  return existsSync(path) && readElfFile(path) !== undefined;
}
