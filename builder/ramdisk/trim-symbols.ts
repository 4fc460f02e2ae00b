import { dynamicSymbols, symbolBytes } from "./dynamic-symbols.ts";

/**
 * Node without the 70 000 symbols that it exports to native addons, which the ramdisk has none of: 8 MB become zeros. What
 * `libraries`, those it is linked to, define or want themselves stays, because there Node's own definition comes first. Changes the program
 * given. False: nothing was changed, since its symbols are not kept as expected.
 */
export function trimSymbols(program: Buffer, libraries: readonly Buffer[]): boolean {
  const found = dynamicSymbols(program);
  if (!found) return false;
  const shared = new Set<string>();
  for (const library of libraries) {
    const symbols = dynamicSymbols(library)?.symbols;
    if (!symbols) return false;
    for (const { name } of symbols) shared.add(name);
  }
  const isKept = (index: number): boolean =>
    index < found.firstExported || found.relocated.has(index) || shared.has(found.symbols[index]!.name);
  // A name may be the end of another's.
  const keptNames = found.symbols.filter((_, index) => isKept(index)).map((symbol) => symbol.nameAt);
  const kept = [...keptNames, ...found.otherNames].map(
    (at) => [at, Buffer.from(program.subarray(at, program.indexOf(0, at)))] as const,
  );
  for (const [index, { at, name, nameAt }] of found.symbols.entries()) {
    if (isKept(index)) continue;
    program.fill(0, at, at + symbolBytes);
    program.fill(0, nameAt, nameAt + name.length);
    // The chain still has to end where it did.
    const hash = found.chainAt + 4 * (index - found.firstExported);
    program.writeUInt32LE(program.readUInt32LE(hash) & 1, hash);
  }
  for (const [at, name] of kept) name.copy(program, at);
  return true;
}
