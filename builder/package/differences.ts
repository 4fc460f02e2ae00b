/** Where two plain values differ. `at` is a key path; values as short JSON, "absent" where there is none. Pure. */
export function differencesBetween(
  a: unknown,
  b: unknown,
  at = "",
): { at: string; field: string; a: string; b: string }[] {
  if (isFolder(a) && isFolder(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return keys.flatMap((key) =>
      differencesBetween(
        (a as Record<string, unknown>)[key],
        (b as Record<string, unknown>)[key],
        at === "" ? key : `${at}.${key}`,
      ),
    );
  }
  const [left, right] = [shown(a), shown(b)];
  return left === right ? [] : [{ at, field: at.slice(at.lastIndexOf(".") + 1), a: left, b: right }];
}

function isFolder(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}
