import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { expect, test } from "vitest";

const entries = readdirSync("rootfs-overlay", { recursive: true, withFileTypes: true }).map((entry) => ({
  entry,
  path: `${entry.parentPath}/${entry.name}`,
}));
const scripts = entries
  .filter(
    ({ entry, path }) =>
      entry.isFile() && (readFileSync(path, "utf8").startsWith("#!") || path.endsWith(".sh")),
  )
  .map(({ path }) => path);

test("there are scripts, and shellcheck finds nothing in them", () => {
  expect(scripts.length).toBeGreaterThanOrEqual(6);
  execFileSync("shellcheck", ["-x", "-s", "sh", ...scripts]);
});

test("every script with a first line is executable and runs in any POSIX shell", () => {
  for (const path of scripts.filter((path) => readFileSync(path, "utf8").startsWith("#!"))) {
    expect(readFileSync(path, "utf8")).toMatch(/^#!\/bin\/sh\n/);
    expect(statSync(path).mode & 0o111).toBe(0o111);
  }
});

test("every link leads to a file of the overlay", () => {
  const links = entries.filter(({ entry }) => entry.isSymbolicLink());
  expect(links.length).toBeGreaterThanOrEqual(6);
  for (const { path } of links) statSync(`rootfs-overlay${readlinkSync(path)}`);
});

test("README.md names every file", () => {
  const readme = readFileSync("rootfs-overlay/README.md", "utf8");
  const names = entries.filter(({ entry }) => !entry.isDirectory()).map(({ entry }) => entry.name);
  const unnamed = names.filter(
    (name) => name !== "README.md" && !readme.includes(name.replace(/\.(path|service)$/, "")),
  );
  expect(unnamed).toEqual([]);
});
