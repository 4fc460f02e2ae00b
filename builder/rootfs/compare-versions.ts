/** Orders kernel versions as people count: 6.1.0-9 before 6.1.0-10, release candidates before their release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x, y] = [left[index] ?? "", right[index] ?? ""];
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y)) {
      if (Number(x) !== Number(y)) return Number(x) - Number(y);
      continue;
    }
    if (x.startsWith("rc") !== y.startsWith("rc")) return x.startsWith("rc") ? -1 : 1;
    // As in RPM: 1160.102.el7 is an update of 1160.el7.
    if (x !== "" && y !== "" && /^\d/.test(x) !== /^\d/.test(y)) return /^\d/.test(x) ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return 0;
}

function partsOf(version: string): string[] {
  return version.match(/\d+|[A-Za-z]+/g) ?? [];
}
