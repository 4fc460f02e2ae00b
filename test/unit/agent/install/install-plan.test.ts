import { expect, test } from "vitest";
import { describeInstallPlan } from "../../../../agent/install/plan/describe-install-plan.ts";
import { planInstall } from "../../../../agent/install/plan/install-plan.ts";
import { slotCommandLine } from "../../../../agent/install/plan/slot-command-line.ts";
import { slotFstab } from "../../../../agent/install/plan/slot-fstab.ts";
import { exampleManifest } from "../example.ts";
import { dualFacts, dualInstallFacts, dualPlanInput } from "./example-dual.ts";

test.each(["install", "adopt"] as const)("the plan of %s", async (purpose) => {
  const installedBy = purpose === "adopt" ? "rauc" : "upgrade";
  const plan = planInstall(dualPlanInput({ purpose, installedBy }));
  const golden = `../../../golden/install/${purpose}`;
  await expect(`${JSON.stringify(plan, undefined, 2)}\n`).toMatchFileSnapshot(`${golden}.json`);
  await expect(`${describeInstallPlan(plan).join("\n")}\n`).toMatchFileSnapshot(`${golden}.txt`);
});

test("bad comes first and good last; what is bootable was read back and is not mounted", () => {
  const kinds = planInstall(dualPlanInput()).steps.map(({ kind }) => kind);
  expect(kinds[0]).toBe("mark-slot-bad");
  expect(kinds.at(-1)).toBe("activate-slot");
  expect(kinds.indexOf("verify-target")).toBeGreaterThan(kinds.indexOf("describe-slot"));
  expect(kinds.indexOf("unmount-slot")).toBeGreaterThan(kinds.indexOf("verify-target"));
});

test("for another program both writes of grubenv are left out, and nothing else", () => {
  const whole = planInstall(dualPlanInput()).steps.map(({ kind }) => kind);
  const adopted = planInstall(dualPlanInput({ purpose: "adopt" })).steps.map(({ kind }) => kind);
  expect(adopted).toEqual(whole.filter((kind) => kind !== "mark-slot-bad" && kind !== "activate-slot"));
});

test("no step of it names the running slot's volume, the disk, or the boot partition's GRUB", () => {
  const steps = JSON.stringify(planInstall(dualPlanInput()).steps);
  expect(steps).toContain("/dev/mapper/VA-root_b");
  for (const never of ["root_a /", '"/dev/sda', "grub.cfg"]) expect(steps).not.toContain(never);
});

test("from slot B it is slot A's turn", () => {
  const install = { ...dualInstallFacts(), running: "B" as const };
  install.system!.slot = "B";
  const plan = planInstall(dualPlanInput({ install }));
  expect(plan).toMatchObject({ running: "B", slot: "A", device: "/dev/mapper/VA-root_a" });
});

test("volumes that only the release knows are in no file of the slot", () => {
  const manifest = exampleManifest();
  manifest.layout.volumes.push({ ...manifest.layout.volumes[2]!, name: "extra", mountPoint: "/extra" });
  expect(JSON.stringify(planInstall(dualPlanInput({ manifest })))).not.toContain("/extra");
});

test("the old system's fstab is not the new one's, nor is its command line", () => {
  const install = dualInstallFacts();
  const facts = dualFacts();
  install.running = "B";
  Object.assign(install.system!, { slot: "B", oldSystem: true, commandLine: undefined });
  delete install.commandLine;
  const { steps } = planInstall(dualPlanInput({ install, facts }));
  const fstab = steps.find((step) => step.kind === "write-fstab")!.lines;
  expect(fstab).toEqual([
    "/dev/mapper/VA-root_a / ext4 defaults 0 1",
    "/dev/mapper/VA-data /data xfs defaults,nofail,x-systemd.device-timeout=180s 0 0",
    "/dev/mapper/VA-image /image ext4 defaults,nofail,x-systemd.device-timeout=180s 0 2",
    "UUID=1111-2222 /boot/dualroot ext4 defaults,nofail,x-systemd.device-timeout=180s 0 2",
  ]);
  expect(steps.find((step) => step.kind === "describe-slot")!.commandLine).toBe("quiet console=ttyS0,115200");
});

test("fstab keeps what a person wrote, but for the root's device, kind and check", () => {
  const lines = (type: "ext4" | "xfs"): string[] =>
    slotFstab({ running: dualInstallFacts().fstab, device: "/dev/mapper/VA-root_b", type, needed: [] });
  expect(lines("ext4")).toEqual([
    "/dev/mapper/VA-root_b / ext4 defaults,discard 0 1",
    "UUID=1111-2222 /boot/dualroot ext4 defaults,nofail,x-systemd.device-timeout=180s 0 2",
    "/dev/mapper/VA-data /data xfs noatime,nofail 0 0",
    "# added by hand",
    "nas:/share /mnt/share nfs soft 0 0",
  ]);
  expect(lines("xfs")[0]).toBe("/dev/mapper/VA-root_b / xfs defaults 0 0");
});

test.each([
  [
    "the release's words change, the gateway's stay",
    "quiet loglevel=3",
    "quiet loglevel=3 console=ttyS0,115200 mitigations=off",
  ],
  ["a word that both have stands once", "mitigations=off", "mitigations=off console=ttyS0,115200"],
])("%s", (_, release, expected) => {
  expect(slotCommandLine(release, dualInstallFacts(), [])).toBe(expected);
});
