import { Command, Option } from "@commander-js/extra-typings";

/** How `dualroot smoke` is called; what it does is in commands/smoke.ts. */
export function smokeCommandLine() {
  return new Command("smoke")
    .description("convert a throw-away copy of a gateway's disk in QEMU and compare before and after")
    .argument("<package>", "folder of the package")
    .requiredOption("--gateway <disk>", "disk image of a gateway; opened read-only")
    .option("--user <name>", "login on the gateway's serial console", "root")
    .option(
      "--password-file <file>",
      "file with the password; default: environment variable DUALROOT_PASSWORD",
    )
    .option("--memory <size>", "memory of the virtual machine", "1 GiB")
    .addOption(
      new Option("--boot <method>", "how the ramdisk is started")
        .choices(["auto", "kexec", "grub"])
        .default("auto" as const),
    )
    .addOption(
      new Option(
        "--processor <kind>",
        "without KVM: all that QEMU has, or plain x86-64, on which digests are several times faster (RHEL 9 does not start on it)",
      )
        .choices(["max", "plain"])
        .default("max" as const),
    )
    .option("--nic-mac <address>", "MAC address of the gateway's network card")
    .option("--from-url", "let the gateway download the package over HTTP")
    .option("--out <dir>", "folder for report.json, junit.xml, console.log and screenshots", "out/smoke")
    .option("--keep", "keep the converted disk")
    .option("--json", "print the report as JSON")
    .exitOverride()
    .addHelpText(
      "after",
      "\nExample:\n  dualroot smoke out/demo-2026.11 --gateway gateway.qcow2 --password-file password.txt",
    )
    .action(async (folder, options) => {
      const { smokeCommand } = await import("./commands/smoke.ts");
      await smokeCommand(folder, options);
    });
}
