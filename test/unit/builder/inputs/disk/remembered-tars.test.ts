import { appendFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { rememberedTars, type TarOf } from "../../../../../builder/inputs/disk/remembered-tars.ts";
import { silent } from "../../../../../format/events.ts";

let cacheFolder: string;
let asked: string[][];
let identity: string;
let duringTar = () => {};

beforeEach(() => {
  cacheFolder = mkdtempSync(join(tmpdir(), "dualroot-tars-"));
  onTestFinished(() => rmSync(cacheFolder, { recursive: true }));
  asked = [];
  identity = "disk";
  duringTar = () => {};
});

/** What one build sees. */
function tars(): TarOf {
  return rememberedTars({
    cacheFolder,
    identity: () => identity,
    tar: async function* (paths) {
      asked.push([...paths]);
      yield Buffer.from(`${identity}: `);
      duringTar();
      yield Buffer.from(paths.join(" "));
    },
    report: silent,
  });
}

async function read(tar: TarOf, ...paths: string[]): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar(paths)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const archive = () =>
  join(cacheFolder, "fetched", readdirSync(join(cacheFolder, "fetched"))[0]!, "archive.tar");

test("the same files of the same disk are asked for once", async () => {
  expect(await read(tars(), "a", "b")).toBe("disk: a b");
  expect(await read(tars(), "a", "b")).toBe("disk: a b");
  expect(asked).toEqual([["a", "b"]]);
  expect(await read(tars(), "a")).toBe("disk: a");
  identity = "other";
  expect(await read(tars(), "a", "b")).toBe("other: a b");
  expect(asked).toEqual([["a", "b"], ["a"], ["a", "b"]]);
});

test("a damaged or unfinished copy is not used", async () => {
  await read(tars(), "a");
  appendFileSync(archive(), "x");
  expect(await read(tars(), "a")).toBe("disk: a");
  rmSync(join(archive(), "../sha256"));
  expect(await read(tars(), "a")).toBe("disk: a");
  expect(asked).toHaveLength(3);
  expect(await read(tars(), "a")).toBe("disk: a");
  expect(asked).toHaveLength(3);
});

test("nothing is kept of a disk that changed while it was read, nor of a tar that was not read to its end", async () => {
  duringTar = () => {
    identity = "changed";
  };
  expect(await read(tars(), "a")).toBe("disk: a");
  duringTar = () => {
    throw new Error("the machine is gone");
  };
  await expect(read(tars(), "b")).rejects.toThrow("the machine is gone");
  duringTar = () => {};
  for await (const _ of tars()(["c"])) break;
  expect(readdirSync(join(cacheFolder, "fetched"))).toEqual([]);
});

test("a cache that cannot be written does not stop the reading", async () => {
  symlinkSync("/proc/no-such-folder", join(cacheFolder, "fetched"));
  expect(await read(tars(), "a")).toBe("disk: a");
});
