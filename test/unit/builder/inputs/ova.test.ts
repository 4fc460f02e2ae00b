import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseOvf } from "../../../../builder/inputs/ova/parse-ovf.ts";
import { readOva } from "../../../../builder/inputs/ova/read-ova.ts";
import { UserError } from "../../../../format/errors.ts";

const folder = mkdtempSync(join(tmpdir(), "dualroot-ova-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (id: string, rest = "") => `<File ovf:href="${id}.vmdk" ovf:id="${id}" ${rest}/>`;
const disk = (id: string, rest = `ovf:fileRef="${id}"`) =>
  `<Disk ovf:diskId="d-${id}" ovf:capacity="1" ${rest}/>`;
const item = (id: string, parent: number, place: number) =>
  `<Item><r:InstanceID>1${place}</r:InstanceID><r:ResourceType>17</r:ResourceType><r:Parent>${parent}</r:Parent><r:AddressOnParent>${place}</r:AddressOnParent><r:HostResource>/disk/d-${id}</r:HostResource></Item>`;
const controller = (id: number) =>
  `<Item><r:InstanceID>${id}</r:InstanceID><r:ResourceType>6</r:ResourceType></Item>`;
function ovf({ files = file("a"), disks = disk("a"), items = "", machines = 1, head = "" } = {}): string {
  const machine = `<VirtualSystem ovf:id="m"><VirtualHardwareSection>${items}</VirtualHardwareSection></VirtualSystem>`;
  return `<?xml version="1.0"?>${head}<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:r="urn:rasd"><References>${files}</References><DiskSection>${disks}</DiskSection>${machine.repeat(machines)}</Envelope>`;
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError) return error.problems[0]!.code;
    throw error;
  }
  return "taken";
}

describe("an OVF descriptor", () => {
  it("gives the disks in the order of controllers and places, empty ones left out", () => {
    const text = ovf({
      files: file("a", 'ovf:size="512"') + file("b") + file("c"),
      disks: disk("c") + disk("empty", "") + disk("b") + disk("a"),
      items:
        controller(3) +
        item("b", 4, 0) +
        controller(4) +
        item("c", 3, 1) +
        item("empty", 3, 2) +
        item("a", 3, 0),
    });
    expect(parseOvf(text)).toEqual([
      { href: "a.vmdk", sizeBytes: 512 },
      { href: "c.vmdk" },
      { href: "b.vmdk" },
    ]);
    // Any prefix will do: the namespace counts.
    expect(parseOvf(ovf().replaceAll("ovf:", "x:").replace("xmlns:ovf", "xmlns:x"))).toEqual([
      { href: "a.vmdk" },
    ]);
  });

  it.each<[string, string, string]>([
    [
      "a document type",
      ovf({ head: '<!DOCTYPE Envelope [<!ENTITY x SYSTEM "file:///etc/passwd">]>' }),
      "ova-descriptor-wrong",
    ],
    ["an unknown entity", ovf({ files: file("&x;") }), "ova-descriptor-wrong"],
    ["an element that is not closed", ovf().replace("</References>", ""), "ova-descriptor-wrong"],
    [
      "another namespace",
      ovf().replace('xmlns="http://schemas.dmtf.org/ovf/envelope/1"', 'xmlns="urn:x"'),
      "ova-descriptor-wrong",
    ],
    ["elements without end", "<a>".repeat(200), "ova-descriptor-wrong"],
    ["nothing", "", "ova-descriptor-wrong"],
    ["no disk", ovf({ disks: "" }), "ova-descriptor-wrong"],
    ["a disk of no file", ovf({ files: "" }), "ova-descriptor-wrong"],
    ["two machines", ovf({ machines: 2 }), "ova-several-machines"],
    ["a compressed disk", ovf({ files: file("a", 'ovf:compression="gzip"') }), "ova-disk-unsupported"],
    ["a disk in pieces", ovf({ files: file("a", 'ovf:chunkSize="1000"') }), "ova-disk-unsupported"],
    ["a snapshot", ovf({ disks: disk("a", 'ovf:fileRef="a" ovf:parentRef="d-b"') }), "ova-disk-unsupported"],
  ])("with %s is refused", async (_, text, code) => {
    expect(await codeOf(() => parseOvf(text))).toBe(code);
  });

  it("of any text is read or refused, never a fault", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.nat(700), async (text, at) => {
        const whole = ovf();
        await codeOf(() => parseOvf(whole.slice(0, at) + text + whole.slice(at)));
      }),
    );
  });
});

const sha = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");

/** Members in this order, with tar's names as they are given. */
function ova(name: string, members: Record<string, string>, ...options: string[]): string {
  const place = join(folder, `${name}.members`);
  mkdirSync(place);
  const names = Object.entries(members).map(([member, content], index) => {
    writeFileSync(join(place, String(index)), content);
    return [String(index), member] as const;
  });
  execFileSync(
    "tar",
    [
      ...["--format=ustar", "--absolute-names", ...options, "-cf", join(folder, name)],
      ...names.map(([index, member]) => `--transform=s,^${index}$,${member},`),
      ...names.map(([index]) => index),
    ],
    { cwd: place },
  );
  return join(folder, name);
}

describe("an OVA", () => {
  const content = "x".repeat(3000);
  const text = ovf({ files: file("a", `ovf:size="${content.length}"`) });

  it.each(["sha1", "sha256", "sha512"])(
    "with %s, before or behind its disks, gives where the disks lie",
    async (algorithm) => {
      const mf = `${algorithm.toUpperCase()}(m.ovf)= ${sha(algorithm, text)}\r\n${algorithm.toUpperCase()}(a.vmdk)= ${sha(algorithm, content)}\r\n`;
      for (const [order, members] of Object.entries({
        before: { "m.ovf": text, "m.mf": mf, "a.vmdk": content },
        behind: { "m.ovf": text, "a.vmdk": content, "m.mf": mf },
      })) {
        const path = ova(`${algorithm}-${order}`, members);
        const [disk] = await readOva(path);
        expect(disk!.name).toBe("a.vmdk");
        const { offset, sizeBytes } = disk!.window;
        expect(readFileSync(path).toString("latin1", offset, offset + sizeBytes)).toBe(content);
      }
    },
  );

  it.each<[string, Record<string, string>, string]>([
    [
      "a disk of another checksum",
      { "m.ovf": text, "m.mf": `SHA256(a.vmdk)= ${sha("sha256", "y")}\n`, "a.vmdk": content },
      "ova-checksum-wrong",
    ],
    [
      "a descriptor of another checksum",
      { "m.ovf": text, "m.mf": `SHA1(m.ovf)= ${sha("sha1", "y")}\n`, "a.vmdk": content },
      "ova-checksum-wrong",
    ],
    [
      "a checksum of what is not there",
      { "m.ovf": text, "m.mf": `SHA1(b.vmdk)= ${sha("sha1", "y")}\n`, "a.vmdk": content },
      "ova-file-missing",
    ],
    [
      "a manifest without the disk",
      { "m.ovf": text, "m.mf": `SHA256(m.ovf)= ${sha("sha256", text)}\n`, "a.vmdk": content },
      "ova-manifest-incomplete",
    ],
    [
      "a manifest without the descriptor",
      { "m.ovf": text, "a.vmdk": content, "m.mf": `SHA1(a.vmdk)= ${sha("sha1", content)}\n` },
      "ova-manifest-incomplete",
    ],
    ["an empty manifest", { "m.ovf": text, "m.mf": "", "a.vmdk": content }, "ova-manifest-incomplete"],
    [
      "a manifest that is none",
      { "m.ovf": text, "m.mf": "hello\n", "a.vmdk": content },
      "ova-manifest-wrong",
    ],
    ["a name that leads up", { "m.ovf": text, "../a.vmdk": content }, "ova-member-unsafe"],
    ["an absolute name", { "m.ovf": text, "/etc/a.vmdk": content }, "ova-member-unsafe"],
    ["a disk that is missing", { "m.ovf": text, "b.vmdk": content }, "ova-file-missing"],
    ["a disk of another size", { "m.ovf": text, "a.vmdk": `${content}y` }, "ova-file-missing"],
    ["a name twice", { "m.ovf": text, "a.vmdk": content, "./a.vmdk": content }, "ova-damaged"],
  ])("with %s is refused", async (name, members, code) => {
    expect(await codeOf(async () => await readOva(ova(name.replaceAll(" ", "-"), members)))).toBe(code);
  });

  it("that was cut off, or has a link, is refused", async () => {
    const path = ova("whole", { "m.ovf": text, "a.vmdk": content });
    writeFileSync(join(folder, "cut"), readFileSync(path).subarray(0, 4000));
    expect(await codeOf(async () => await readOva(join(folder, "cut")))).toBe("rootfs-not-tar");
    execFileSync(
      "sh",
      [
        "-euc",
        "mkdir l; cd l; cp ../whole.members/0 m.ovf; ln -s /etc/passwd a.vmdk; tar -cf ../link m.ovf a.vmdk",
      ],
      { cwd: folder },
    );
    expect(await codeOf(async () => await readOva(join(folder, "link")))).toBe("ova-member-unsafe");
  });
});
