import { expect, test } from "vitest";
import type { CheckInput, CheckOptions } from "../../../../agent/checks/check.ts";
import { failuresOf, runChecks } from "../../../../agent/checks/run-checks.ts";
import type { Facts, MountFacts } from "../../../../agent/facts/facts.ts";
import { planPartitions } from "../../../../agent/plan/partitions.ts";
import { refusalCodes } from "../../../../format/refusal-codes.ts";
import { GiB, MiB } from "../../../../format/sizes.ts";
import { exampleFacts, exampleManifest, examplePlanInput, gatewayNames } from "../example.ts";

type Change = (input: CheckInput & { facts: Facts }) => void;

function oldSystem(change: Change = () => {}, options: CheckOptions = {}): CheckInput {
  const input: CheckInput = {
    stage: "old-system",
    manifest: exampleManifest(),
    facts: exampleFacts(),
    options,
  };
  change(input);
  return input;
}

function ramdisk(change: Change = () => {}, options: CheckOptions = {}): CheckInput {
  const { root: _, ...facts } = exampleFacts();
  const { stash } = examplePlanInput(exampleFacts());
  const input: CheckInput = { stage: "ramdisk", manifest: exampleManifest(), facts, stash, options };
  change(input);
  return input;
}

/** Everything but passes. */
const verdicts = (input: CheckInput): string[] =>
  runChecks(input)
    .filter(({ verdict }) => verdict !== "pass")
    .map(({ verdict, code }) => `${verdict} ${code}`);

test.each(gatewayNames)("the %s gateway passes every check, on the old system and in the ramdisk", (name) => {
  const facts = exampleFacts(name);
  const template = planPartitions(exampleManifest().layout, (10 * GiB) / 512, "seed");
  const onOld: CheckInput = { ...oldSystem(), facts, template, identityProblems: [] };
  expect(verdicts(onOld)).toEqual([]);
  expect(runChecks(onOld).length).toBe(20);
  const { root: _, ...inRamdisk } = facts;
  const again = runChecks({ ...ramdisk(), facts: inRamdisk, stash: examplePlanInput(facts).stash, template });
  expect(again.filter((result) => result.verdict !== "pass")).toEqual([]);
  expect(again.map((result) => result.code)).toContain("layout");
});

test("a gateway that has had a newer release is not converted to an older one, but for a permit", () => {
  const counterRows = (input: CheckInput): string[] =>
    runChecks(input).flatMap(({ title, verdict, code }) =>
      title === "Anti-rollback" ? [`${verdict} ${code}`] : [],
    );
  const after =
    (floor: number): Change =>
    ({ facts }) =>
      void (facts.counterFloor = floor);
  const manifestSha256 = "5a".repeat(32);
  const permit = { manifestSha256, keyId: "0123456789abcdef" };
  expect(counterRows(oldSystem())).toEqual(["pass counter"]);
  expect(counterRows(oldSystem(after(7)))).toEqual(["pass counter"]);
  expect(counterRows(oldSystem(after(8)))).toEqual(["fail counter-too-low"]);
  expect(counterRows({ ...oldSystem(after(8)), manifestSha256, permit })).toEqual(["pass counter"]);
  expect(counterRows({ ...oldSystem(after(8)), manifestSha256: "00".repeat(32), permit })).toEqual([
    "fail permit-invalid",
  ]);
  expect(counterRows({ ...oldSystem(after(8)), permit })).toEqual(["fail permit-invalid"]);
  // Past stage 1 it is settled.
  expect(counterRows(ramdisk(after(8)))).toEqual([]);
});

const powerRows = (input: CheckInput): string[] =>
  runChecks(input).flatMap(({ title, verdict, code }) =>
    title === "Power cut" ? [`${verdict} ${code}`] : [],
  );
const powerText = (input: CheckInput): string =>
  runChecks(input).find(({ title }) => title === "Power cut")?.detail ?? "";

test("with a stash on the disk a power cut costs time; in ram mode a person has to accept it", () => {
  expect(powerRows(oldSystem())).toEqual(["pass power-cut"]);
  expect(powerRows(oldSystem(undefined, { stash: "disk" }))).toEqual(["pass power-cut"]);
  expect(powerRows(oldSystem(undefined, { stash: "ram" }))).toEqual(["fail power-cut-unsafe"]);
  const accepted = oldSystem(undefined, { stash: "ram", acceptPowerRisk: true });
  expect(powerRows(accepted)).toEqual(["warn power-cut-unsafe"]);
  expect(powerRows(oldSystem(undefined, { stash: "ram", rehearse: true }))).toEqual([
    "warn power-cut-unsafe",
  ]);
  expect(powerRows(ramdisk())).toEqual([]);
});

test("the fatal window is told in seconds where the package can be put to its place at once", () => {
  expect(powerText(oldSystem(undefined, { stash: "ram" }))).toMatch(
    /within the about 9 seconds in which 248.* MiB are written .*--stash ram was given/,
  );
  const full: Change = ({ facts }) => (facts.disks[0]!.sizeBytes = 8.2 * GiB);
  const tight = exampleManifest({ requirements: { ...exampleManifest().requirements, diskBytes: 8 * GiB } });
  expect(powerText({ ...oldSystem(full), manifest: tight })).toMatch(
    /within the whole rewrite, some minutes, loses .*the new layout leaves .* of the disk free, it needs /,
  );
});

/** Why the stash cannot lie on the disk, each alone. */
const againstDisk: [string, Change, RegExp][] = [
  ["btrfs", rootMount({ type: "btrfs" }), /is btrfs/],
  ["ext3", rootMount({ type: "ext3" }), /is ext3/],
  ["data in the journal", rootMount({ superOptions: "rw,data=journal" }), /keeps data in its journal/],
  ["a stripe", rootMount({ stack: ["lvm-other", "partition", "disk"] }), /no plain partition or linear/],
  ["/var on another disk", rootMount({ disks: ["sdb"] }), /is on another disk/],
  ["little room", ({ facts }) => (facts.stashFreeBytes = 313 * MiB), /needs 313.* are free/],
  ["found out by trying", ({ options }) => (options.againstDisk = ["nothing fits"]), /nothing fits/],
];

function rootMount(change: Partial<MountFacts>): Change {
  return ({ facts }) =>
    Object.assign(
      facts.mounts.find(({ target }) => target === "/")!,
      change,
    );
}

test.each(againstDisk)("ram mode, and why: %s", (_, change, reason) => {
  expect(powerRows(oldSystem(change))).toEqual(["fail power-cut-unsafe"]);
  expect(powerText(oldSystem(change))).toMatch(reason);
  const wanted = oldSystem(change, {});
  wanted.options.stash = "disk";
  expect(powerRows(wanted)).toEqual(["fail stash-not-on-disk"]);
});

test("on the disk, memory has to hold the ramdisk only; in ram mode the package too", () => {
  const small: Change = ({ facts }) => (facts.memory.totalBytes = 500 * MiB);
  expect(verdicts(oldSystem(small))).toEqual([]);
  const inMemory: CheckOptions = { stash: "ram", acceptPowerRisk: true };
  expect(verdicts(oldSystem(small, inMemory))).toEqual(["fail memory-too-small", "warn power-cut-unsafe"]);
  const enough: Change = ({ facts }) => (facts.memory.totalBytes = 649 * MiB);
  expect(verdicts(oldSystem(enough, inMemory))).toEqual(["warn memory-tight", "warn power-cut-unsafe"]);
});

const dataMount: MountFacts = {
  device: "253:2",
  source: "/dev/mapper/centos-pgdata",
  target: "/var/lib/pgsql",
  type: "xfs",
  options: "rw",
  disks: ["vda"],
  usedBytes: 200 * MiB,
};

const refusals: [string, Change, string][] = [
  ["an ordinary user", ({ facts }) => (facts.isRoot = false), "fail not-root"],
  ["another processor", ({ facts }) => (facts.architecture = "aarch64"), "fail architecture-unsupported"],
  ["UEFI", ({ facts }) => (facts.firmware = "uefi"), "fail firmware-unsupported"],
  [
    "a dual system",
    ({ facts }) => (facts.converted = { slot: "A", compatible: "gateway-x86" }),
    "fail already-converted",
  ],
  ["another product by its file", ({ facts }) => (facts.compatible = "router"), "fail compatible-mismatch"],
  ["another product by word", ({ options }) => (options.compatible = "router"), "fail compatible-mismatch"],
  ["no known root", ({ facts }) => delete facts.root, "fail root-unknown"],
  ["a root on two disks", ({ facts }) => facts.root!.disks.push("vdb"), "fail root-on-several-disks"],
  [
    "a second physical volume",
    ({ facts }) => facts.root!.groupPhysicalVolumes.push("/dev/vdb1"),
    "fail several-physical-volumes",
  ],
  [
    "RAID below the root",
    ({ facts }) => (facts.root!.stack = ["raid", "partition", "disk"]),
    "fail disk-is-raid",
  ],
  [
    "multipath below the root",
    ({ facts }) => (facts.root!.stack = ["multipath", "disk"]),
    "fail disk-is-multipath",
  ],
  [
    "encryption below the root",
    ({ facts }) => (facts.root!.stack = ["crypt", "partition", "disk"]),
    "fail disk-is-encrypted",
  ],
  [
    "a striped volume",
    ({ facts }) => (facts.root!.stack = ["lvm-other", "partition", "disk"]),
    "fail volumes-not-linear",
  ],
  ["a loop device", ({ facts }) => (facts.root!.stack = ["loop"]), "fail root-stack-unsupported"],
  ["btrfs", ({ facts }) => (facts.root!.filesystemType = "btrfs"), "fail root-filesystem-unreadable"],
  ["a read-only disk", ({ facts }) => (facts.disks[0]!.readOnly = true), "fail disk-read-only"],
  [
    "a RAID member beside the root",
    ({ facts }) => (facts.disks[0]!.partitions[0]!.filesystemType = "linux_raid_member"),
    "fail disk-is-raid",
  ],
  ["a disk held by a cache", ({ facts }) => facts.disks[0]!.holders.push("bcache0"), "fail disk-held"],
  ["a removable disk", ({ facts }) => (facts.disks[0]!.removable = true), "warn disk-removable"],
  ["a small disk", ({ facts }) => (facts.disks[0]!.sizeBytes = 9 * GiB - 512), "fail disk-too-small"],
  [
    "4096-byte sectors",
    ({ facts }) => (facts.disks[0]!.logicalSectorBytes = 4096),
    "fail sector-size-unsupported",
  ],
  [
    "volumes that do not fit",
    ({ manifest }) => (manifest.layout.volumes[3]!.sizeBytes = 5 * GiB),
    "fail volumes-do-not-fit",
  ],
  [
    "the group's name in use on another disk",
    ({ facts }) => facts.volumeGroups!.push({ name: "VA", uuid: "x", physicalVolumes: ["/dev/vdb1"] }),
    "fail volume-group-in-use",
  ],
  ["data on its own volume", ({ facts }) => facts.mounts.push(dataMount), "fail data-would-be-lost"],
  [
    "a volume nobody has mounted",
    ({ facts }) => facts.volumeGroups![0]!.volumes!.push({ name: "docker-pool", sizeBytes: GiB }),
    "fail data-would-be-lost",
  ],
  [
    "a storage driver the target lacks",
    ({ manifest }) => removeDriver(manifest.target.drivers, "virtio_blk"),
    "fail driver-missing-in-target",
  ],
  [
    "a storage driver the ramdisk lacks",
    ({ manifest }) => removeDriver(manifest.ramdisk.drivers, "virtio_blk"),
    "fail driver-missing-in-ramdisk",
  ],
  [
    "a network driver the target lacks",
    ({ manifest }) => removeDriver(manifest.target.drivers, "virtio_net"),
    "fail driver-missing-in-target",
  ],
  ["little memory", ({ facts }) => (facts.memory.totalBytes = 256 * MiB), "fail memory-too-small"],
  ["just enough memory", ({ facts }) => (facts.memory.totalBytes = 401 * MiB), "warn memory-tight"],
  ["Secure Boot", ({ facts }) => (facts.boot.secureBoot = true), "fail secure-boot"],
  [
    "no way into the ramdisk",
    ({ facts }) => Object.assign(facts.boot, { kexecAllowed: false, grubenvWritable: false }),
    "fail boot-method-unavailable",
  ],
  [
    "kexec wanted where it is forbidden",
    ({ facts, options }) => {
      facts.boot.kexecAllowed = false;
      options.boot = "kexec";
    },
    "fail boot-method-unavailable",
  ],
];

function removeDriver(drivers: string[], name: string): void {
  const index = drivers.indexOf(name);
  if (index < 0) throw new Error(`the example has no driver ${name}`);
  drivers.splice(index, 1);
}

test.each(refusals)("on the old system: %s", (_, change, verdict) => {
  const results = verdicts(oldSystem(change));
  expect(results).toEqual([verdict]);
});

test("no room for the stash at all", () => {
  const full: Change = ({ facts }) => (facts.stashFreeBytes = 300 * MiB);
  expect(verdicts(oldSystem(full))).toEqual(["fail stash-space-too-small", "fail power-cut-unsafe"]);
});

test("every code the checks use is in the list", () => {
  const listed = new Set<string>(refusalCodes);
  expect(refusals.map(([, , verdict]) => verdict.split(" ")[1]!).filter((code) => !listed.has(code))).toEqual(
    [],
  );
});

test("both values are in the sentence", () => {
  const detail = (change: Change): string =>
    failuresOf(runChecks(oldSystem(change)))
      .map((p) => p.message)
      .join();
  expect(detail(({ facts }) => (facts.memory.totalBytes = 256 * MiB))).toMatch(/needs 400 MiB .*has 256 MiB/);
  expect(detail(({ facts }) => (facts.compatible = "router"))).toMatch(/"gateway-x86".*"router"/);
  expect(detail(({ facts }) => (facts.disks[0]!.sizeBytes = 9 * GiB - 512))).toMatch(
    /9663675904 bytes.*9663676416 bytes/,
  );
});

test("data on its own volume is told, and passes as a warning or when it is preserved", () => {
  const withData: Change = ({ facts }) => facts.mounts.push(dataMount);
  expect(runChecks(oldSystem(withData)).find((r) => r.code === "data-would-be-lost")?.detail).toBe(
    "On /dev/vda these would be lost: /var/lib/pgsql on /dev/mapper/centos-pgdata (200 MiB).",
  );
  expect(verdicts(oldSystem(withData, { acceptDataLoss: true }))).toEqual(["warn data-would-be-lost"]);
  expect(
    verdicts(
      oldSystem((input) => {
        withData(input);
        input.manifest.preserve.paths.push("/var/lib");
      }),
    ),
  ).toEqual([]);
  expect(verdicts(oldSystem(({ facts }) => facts.mounts.push({ ...dataMount, disks: ["vdb"] })))).toEqual([]);
});

test("a renamed driver counts as the same driver, and GRUB stands in for kexec", () => {
  expect(verdicts(oldSystem(({ facts }) => facts.storageDrivers.push("mpt2sas")))).toEqual([]);
  const results = runChecks(oldSystem(({ facts }) => (facts.boot.kexecAllowed = false)));
  expect(results.find((result) => result.code === "boot-method")?.detail).toBe("one-shot GRUB entry");
});

test("identity problems pass through with their own code, and fail unless they say otherwise", () => {
  const problem = { code: "identity-value-unreadable", message: "m", hint: "h" };
  expect(verdicts({ ...oldSystem(), identityProblems: [problem, { ...problem, verdict: "warn" }] })).toEqual([
    "fail identity-value-unreadable",
    "warn identity-value-unreadable",
  ]);
});

test("an address the gateway has now and would not have again is a refusal", () => {
  const carried = {
    name: "eth0",
    ipv4: "static" as const,
    ipv6: "static" as const,
    addresses: ["10.0.2.77/16", "2001:DB8::05/64"],
    routes: [],
    dnsServers: [],
    searchDomains: [],
  };
  const check = (change: Change, one: object = {}): string[] =>
    verdicts({
      ...oldSystem(change),
      identityProblems: [],
      identity: { interfaces: [{ ...carried, ...one }] },
    });
  const add =
    (address: string): Change =>
    ({ facts }) =>
      facts.interfaces[1]!.addresses.push(address);
  expect(check(() => {})).toEqual([]);
  expect(check(add("fe80::1/64"))).toEqual([]);
  expect(check(add("2001:db8::5/64"))).toEqual([]);
  expect(check(add("10.9.9.9/24"))).toEqual(["fail address-not-carried"]);
  expect(check(add("10.9.9.9/24"), { ipv4: "dhcp" })).toEqual([]);
  expect(check(add("2001:db8::6/64"))).toEqual(["fail address-not-carried"]);
  expect(check(add("2001:db8::6/64"), { ipv6: "auto" })).toEqual([]);
  expect(check(() => {}, { name: "eth7" })).toEqual(["fail address-not-carried"]);
  expect(check(() => {}, { name: "eth7", macAddress: "52:54:00:77:00:01" })).toEqual([]);
  const told = {
    code: "interface-not-configured",
    message: "interface eth0 has the address 10.0.2.77",
    hint: "h",
  };
  expect(verdicts({ ...oldSystem(), identityProblems: [told], identity: { interfaces: [] } })).toEqual([
    "fail interface-not-configured",
  ]);
  const docker: Change = ({ facts }) =>
    facts.interfaces.push({ name: "docker0", up: true, addresses: ["172.17.0.1/16"] });
  expect(check(docker)).toEqual([]);
});

const inRamdisk: [string, Change, string][] = [
  ["another disk", ({ facts }) => (facts.disks[0]!.tableId = "00000000"), "fail disk-not-found"],
  ["no disk", ({ facts }) => (facts.disks = []), "fail disk-not-found"],
  ["a clone", ({ facts }) => facts.disks.push({ ...facts.disks[0]!, name: "vdb" }), "fail disk-ambiguous"],
  [
    "too little memory left",
    ({ facts }) => (facts.memory.availableBytes = 300 * MiB),
    "fail memory-too-small",
  ],
  [
    "a storage driver the target lacks",
    ({ manifest }) => removeDriver(manifest.target.drivers, "virtio_blk"),
    "fail driver-missing-in-target",
  ],
];

test.each(inRamdisk)("in the ramdisk: %s", (_, change, verdict) => {
  expect(verdicts(ramdisk(change))).toEqual([verdict]);
});

test("in the ramdisk, with the package in memory already, only working memory is asked for", () => {
  const little: Change = ({ facts }) => (facts.memory.availableBytes = 140 * MiB);
  expect(verdicts(ramdisk(little))).toEqual(["fail memory-too-small"]);
  expect(verdicts(ramdisk(little, { packageInMemory: true }))).toEqual([]);
});

test("in the ramdisk, with the package on the disk, only working memory is asked for", () => {
  const reserved = [{ startBytes: 5 * GiB, sizeBytes: 256 * MiB }];
  const little: Change = ({ facts }) => (facts.memory.availableBytes = 140 * MiB);
  expect(verdicts({ ...ramdisk(little), reserved })).toEqual([]);
  const less: Change = ({ facts }) => (facts.memory.availableBytes = 120 * MiB);
  expect(verdicts({ ...ramdisk(less), reserved })).toEqual(["fail memory-too-small"]);
});

test("a release that requires the old system is refused where its archive has no place on the disk", () => {
  const requires: Change = ({ manifest }) => {
    manifest.keepOldSystem = "require";
  };
  const rows = (input: CheckInput): string[] =>
    verdicts(input).filter((verdict) => verdict.includes("old-system"));
  expect(rows(oldSystem(requires))).toEqual([]);
  expect(rows(oldSystem(requires, { stash: "ram", acceptPowerRisk: true }))).toEqual([
    "fail old-system-not-kept",
  ]);
  const huge: Change = (input) => {
    input.facts.mounts.find(({ target }) => target === "/")!.usedBytes = 5 * GiB;
  };
  expect(rows(oldSystem(huge))).toEqual(["warn old-system-not-kept"]);
  expect(rows(oldSystem((input) => [huge, requires].forEach((change) => change(input))))).toEqual([
    "fail old-system-not-kept",
  ]);
});
