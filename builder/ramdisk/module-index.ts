import type { KernelModule } from "./kernel-modules.ts";

/** The index files modprobe reads, for exactly these modules: text, as depmod writes them beside its `.bin` files. */
export function moduleIndexes(
  modules: readonly KernelModule[],
): Record<"modules.dep" | "modules.alias" | "modules.softdep", string> {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const dependencyLines = modules.map((module) => {
    const needed = loadOrder(module, byName).toReversed();
    return [`${module.relativePath}:`, ...needed.map((other) => other.relativePath)].join(" ");
  });
  const aliasLines = modules.flatMap((module) =>
    module.aliases.map((alias) => `alias ${alias} ${module.name}`),
  );
  const softLines = modules.flatMap(({ name, softDependencies: { before, after } }) => {
    const words = [
      ...(before.length > 0 ? ["pre:", ...before] : []),
      ...(after.length > 0 ? ["post:", ...after] : []),
    ];
    return words.length > 0 ? [`softdep ${name} ${words.join(" ")}`] : [];
  });
  return {
    "modules.dep": lines(dependencyLines),
    "modules.alias": lines(aliasLines),
    "modules.softdep": lines(softLines),
  };
}

/** What has to be in the kernel before `module`, first things first; modprobe reads modules.dep from right to left. */
function loadOrder(module: KernelModule, byName: ReadonlyMap<string, KernelModule>): KernelModule[] {
  const order = new Set<KernelModule>();
  const visited = new Set<string>([module.name]);
  const visit = (current: KernelModule): void => {
    for (const name of current.depends) {
      const needed = byName.get(name);
      if (!needed || visited.has(name)) continue;
      visited.add(name);
      visit(needed);
      order.add(needed);
    }
  };
  visit(module);
  return [...order];
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}
