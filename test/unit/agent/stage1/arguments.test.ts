import { expect, test } from "vitest";
import { UserError } from "../../../../format/errors.ts";
import { parseArguments } from "../../../../agent/stage1/arguments.ts";

const given = ["--package", "/media/a b", "--runtime", "/var/tmp/dualroot-runtime.x"];

function refusal(argv: string[]): UserError {
  try {
    parseArguments(argv);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error(`${argv.join(" ")} was not refused`);
}

test("reads a command with its options in any order", () => {
  expect(parseArguments([...given, "--boot", "grub", "convert", "--yes"])).toEqual({
    command: "convert",
    packageFolder: "/media/a b",
    runtimeFolder: "/var/tmp/dualroot-runtime.x",
    dryRun: false,
    rehearse: false,
    assumeYes: true,
    boot: "grub",
    stash: "auto",
    acceptPowerRisk: false,
    acceptDataLoss: false,
    allowDevelopmentKey: false,
    reboot: true,
    gentle: false,
    acceptUnhealthy: false,
    checkOnly: false,
    installedBy: "rauc",
    json: false,
  });
  expect(parseArguments([...given, "convert", "--boot=kexec", "--compatible=box"])).toMatchObject({
    boot: "kexec",
    compatible: "box",
  });
  expect(parseArguments(["convert", "--stash=ram", "--accept-power-risk"])).toMatchObject({
    stash: "ram",
    acceptPowerRisk: true,
  });
  expect(parseArguments(["rollback", "--no-reboot"])).toMatchObject({ command: "rollback", reboot: false });
  expect(refusal(["convert", "--stash", "tape"]).problems[0]?.message).toBe(
    '--stash takes auto, disk, ram, not "tape".',
  );
});

test("--dry-run stands alone or with convert", () => {
  expect(parseArguments(["--dry-run"])).toMatchObject({ command: "check", dryRun: true });
  expect(parseArguments(["convert", "--dry-run"])).toMatchObject({ command: "convert", dryRun: true });
  expect(refusal(["cancel", "--dry-run"]).problems[0]?.message).toBe("cancel has no --dry-run.");
});

test.each([
  [["convert", "--dryrun"], "--dryrun is not an option of upgrade.sh.", "--dry-run"],
  [["convert", "--yess"], "--yess is not an option of upgrade.sh.", "--yes"],
  [["convert", "--yes=no"], "--yes=no is not an option of upgrade.sh.", "--yes"],
  [["chek"], '"chek" is not a command of upgrade.sh.', "check"],
])("%j is refused, with what was probably meant", (argv, message, meant) => {
  const error = refusal(argv);
  expect(error.exit).toBe("usage");
  expect(error.problems[0]).toMatchObject({ code: "usage", message });
  expect(error.problems[0]?.hint).toContain(`Did you mean ${meant}?`);
});

test.each([
  [[], "No command was given."],
  [["convert", "--boot", "floppy"], '--boot takes auto, kexec, grub, not "floppy".'],
  [["convert", "--boot"], "--boot needs a value."],
  [["check", "convert"], 'One command at a time: "check convert" is 2.'],
  [["check", "--zzzzzzzzzzzz"], "--zzzzzzzzzzzz is not an option of upgrade.sh."],
])("%j is refused", (argv, message) => {
  expect(refusal(argv).problems[0]?.message).toBe(message);
});

test("an upgrade says when to restart, and how gently it goes", () => {
  expect(parseArguments(["upgrade", "--reboot", "03:30", "--gentle", "--yes"])).toMatchObject({
    command: "upgrade",
    restartAt: "03:30",
    gentle: true,
  });
  expect(parseArguments(["install"]).restartAt).toBeUndefined();
  expect(parseArguments(["install", "--dry-run"])).toMatchObject({ command: "install", dryRun: true });
  expect(parseArguments(["adopt", "--slot", "B", "--installed-by=rauc", "--check"])).toMatchObject({
    slot: "B",
    checkOnly: true,
  });
});

test.each([
  [["install", "--reboot", "25:00"], '--reboot takes now, later, or a time such as 03:30, not "25:00".'],
  [
    ["convert", "--reboot", "later"],
    "A conversion goes through the ramdisk at once: convert knows --reboot now only.",
  ],
  [["install", "--stash", "ram"], "--stash is for check, convert, upgrade, not for install."],
  [["install", "--accept-data-loss"], "--accept-data-loss is for check, convert, upgrade, not for install."],
  [["convert", "--gentle"], "--gentle is for check, install, upgrade, not for convert."],
  [["install", "--slot", "B"], "--slot is for adopt, not for install."],
  [["adopt", "--slot", "C"], '--slot takes A or B, not "C".'],
])("%j is refused: it means nothing there", (argv, message) => {
  expect(refusal(argv)).toMatchObject({ exit: "usage", problems: [{ message }] });
});
