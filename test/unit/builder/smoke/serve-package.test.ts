import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { servePackage, type PackageServer } from "../../../../builder/smoke/serve-package.ts";

let folder: string;
let server: PackageServer;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-"));
  await writeFile(join(folder, "manifest.json"), "0123456789");
  await writeFile(join(folder, "secret"), "no");
  server = await servePackage(folder, ["manifest.json"]);
  url = server.url.replace("10.0.2.2", "127.0.0.1");
});

afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

test("a download resumes where it stopped", async () => {
  const answer = await fetch(`${url}manifest.json`, { headers: { range: "bytes=4-" } });
  expect(answer.status).toBe(206);
  expect(answer.headers.get("content-range")).toBe("bytes 4-9/10");
  expect(await answer.text()).toBe("456789");
  expect(await (await fetch(`${url}manifest.json`)).text()).toBe("0123456789");
});

test("a complete file has nothing to resume, and only the package's files are served", async () => {
  expect((await fetch(`${url}manifest.json`, { headers: { range: "bytes=10-" } })).status).toBe(416);
  for (const path of ["secret", "../secret", "%2e%2e/etc/passwd", ""])
    expect((await fetch(url + path)).status).toBe(404);
});
