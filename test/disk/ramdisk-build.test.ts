import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildRamdisk, type RamdiskFacts, type RamdiskInputs } from "../../builder/ramdisk/build-ramdisk.ts";
import { sha256Hex } from "../../format/digest.ts";
import { silent } from "../../format/events.ts";
import { debianKernel } from "../fixtures/kernels.ts";

let scratch: string;
let inputs: RamdiskInputs & { agentEntry: string };
let facts: RamdiskFacts;
let image: Buffer;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "dualroot-build-"));
  mkdirSync(join(scratch, "grub/i386-pc"), { recursive: true });
  writeFileSync(join(scratch, "grub/i386-pc/ext2.mod"), "module");
  writeFileSync(join(scratch, "agent.ts"), "process.stdout.write(`agent ${process.argv[2]}`);\n");
  inputs = {
    kernel: await debianKernel("amd64"),
    keys: { format: 1, keys: [{ keyId: "0123456789abcdef", role: "dev", publicKey: `${"A".repeat(43)}=` }] },
    bootFiles: join(scratch, "grub"),
    compression: "gzip",
    sourceDateEpoch: 1_700_000_000,
    cacheFolder: join(scratch, "cache"),
    profile: "virtual",
    agentEntry: join(scratch, "agent.ts"),
  };
  facts = await buildRamdisk(inputs, join(scratch, "first.img"), silent);
  image = readFileSync(join(scratch, "first.img"));
});
afterAll(() => rmSync(scratch, { recursive: true }));

function segment(index: number, of: Buffer = image, from: RamdiskFacts = facts): string {
  const { offset, bytes } = from.runtimeSegments[index]!;
  return sha256Hex(of.subarray(offset, offset + bytes));
}

test("two builds with nothing in common but their inputs are equal to the byte", async () => {
  const again = { ...inputs, cacheFolder: join(scratch, "other-cache") };
  expect(await buildRamdisk(again, join(scratch, "second.img"), silent)).toEqual(facts);
  expect(sha256Hex(readFileSync(join(scratch, "second.img")))).toBe(sha256Hex(image));
});

test("a changed agent or date changes the agent's segment and no other", async () => {
  const entry = join(scratch, "changed.ts");
  writeFileSync(entry, 'process.stdout.write("changed");\n');
  const changed = { ...inputs, agentEntry: entry, sourceDateEpoch: 1_800_000_000 };
  const output = join(scratch, "changed.img");
  const now = await buildRamdisk(changed, output, silent);
  const bytes = readFileSync(output);
  expect([segment(0, bytes, now), segment(1, bytes, now)]).toEqual([segment(0), segment(1)]);
  expect(segment(2, bytes, now)).not.toBe(segment(2));
});

test("stage 1's plain tools unpack the runtime, and its programs run by its own loader", () => {
  const runtime = join(scratch, "runtime");
  mkdirSync(runtime);
  for (const { offset, bytes } of facts.runtimeSegments) {
    const unpack = `tail -c +${offset + 1} "$1" | head -c ${bytes} | gzip -dc | (cd "$2" && cpio --quiet -idmu)`;
    execFileSync("sh", ["-c", unpack, "sh", join(scratch, "first.img"), runtime]);
  }
  const loader = join(runtime, "usr/lib64/ld-linux-x86-64.so.2");
  const start = (program: string, ...args: string[]): string =>
    execFileSync(loader, ["--library-path", join(runtime, "usr/lib"), join(runtime, program), ...args], {
      encoding: "utf8",
    });
  expect(start("usr/bin/node", join(runtime, "usr/lib/dualroot/agent.mjs"), "stage1")).toBe("agent stage1");
  expect(start("usr/sbin/tar", "--version")).toContain("GNU tar");
  expect(start("usr/sbin/pvs", "--version")).toContain("LVM version");
  expect(JSON.parse(readFileSync(join(runtime, "usr/lib/dualroot/keys.json"), "utf8"))).toEqual(inputs.keys);
  expect(readFileSync(join(runtime, "usr/lib/dualroot/grub/i386-pc/ext2.mod"), "utf8")).toBe("module");
});

test("the facts say what a machine is checked against", () => {
  const expected = [
    "virtio_blk",
    "mptspi",
    "vmw_pvscsi",
    "hv_storvsc",
    "xen_blkfront",
    "ahci",
    "nvme",
    "e1000",
    "xfs",
    "dm_mod",
  ];
  expect(facts.drivers).toEqual(expect.arrayContaining(expected));
  expect(facts.missingDrivers).toEqual([]);
  expect(facts.sizeBytes).toBe(image.length);
  expect(facts.unpackedBytes).toBeGreaterThan(60_000_000);
});

test("a damaged index of digests costs time, nothing else", async () => {
  writeFileSync(join(inputs.cacheFolder, "digests.json"), '{"/usr/bin/node": 7');
  await buildRamdisk(inputs, join(scratch, "third.img"), silent);
  expect(sha256Hex(readFileSync(join(scratch, "third.img")))).toBe(sha256Hex(image));
});
