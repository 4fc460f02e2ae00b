import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fillStandIn, layStandIns, linkStandIn } from "../../../../builder/inputs/stand-ins.ts";

async function* text(...parts: string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test("stand-ins are filled one by one, though all of them begin as one empty file", async () => {
  const top = mkdtempSync(join(tmpdir(), "dualroot-stand-ins-"));
  onTestFinished(() => rmSync(top, { recursive: true }));
  const root = join(top, "root");
  const at = (path: string) => join(root, path);
  const file = (path: string) => ({ path, type: "file" as const, linkTarget: "" });
  await layStandIns(root, [
    { path: "etc", type: "folder", linkTarget: "" },
    ...["a", "b", "c", "d"].map((name) => file(`etc/${name}`)),
    { path: "etc/link", type: "link", linkTarget: "a" },
    { path: "srv", type: "folder", linkTarget: "" },
    file("srv/data"),
  ]);
  expect(statSync(at("etc/a")).ino).toBe(statSync(at("etc/d")).ino);
  expect(() => lstatSync(at("srv/data"))).toThrow(/ENOENT/);

  await fillStandIn(root, "etc/a", text("one", "two"));
  await fillStandIn(root, "etc/b", text("other"));
  await linkStandIn(root, "etc/c", "etc/a");
  await fillStandIn(root, "srv/data", text("data"));
  expect(
    ["etc/a", "etc/b", "etc/c", "etc/d", "etc/link", "srv/data"].map((path) =>
      readFileSync(at(path), "utf8"),
    ),
  ).toEqual(["onetwo", "other", "onetwo", "", "onetwo", "data"]);
});
