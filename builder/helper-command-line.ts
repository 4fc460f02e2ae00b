import { Command, Option } from "@commander-js/extra-typings";
import { diskFormats } from "./vm/description.ts";

/** How `dualroot helper` is called; what it does is in commands/helper.ts. */
export function helperCommandLine() {
  return new Command("helper")
    .description("run a command in a tiny virtual machine that has your disk images; needs no root")
    .argument("[command...]", "program and arguments, behind `--`; with -it a shell when there is none")
    .option(
      "--disk <file[:ro]>",
      "disk image, /dev/vda, /dev/vdb, ... in this order; with :ro the file stays as it is",
      (word: string, before: string[]) => [...before, word],
      [],
    )
    .addOption(
      new Option("--format <format>", "format of the disks, instead of what their content says").choices(
        diskFormats,
      ),
    )
    .option("--allow-backing-file", "accept images that make QEMU read other files")
    .option("-i, --interactive", "pass standard input to the command")
    .option("-t, --tty", "give the command a terminal (with -i)")
    .option("--tool <name...>", "programs of this machine that shall be there too")
    .option("--memory <size>", "memory of the virtual machine", "512 MiB")
    .option("--kernel <vmlinuz>", "kernel of the virtual machine; default: this machine's")
    .option("--modules <dir>", "its lib/modules/VERSION, if that is not beside it")
    .option("--cold", "boot, instead of restoring the state that an earlier start saved")
    .option("--verbose", "say on standard error how it was started, and what it takes")
    .option("--json", "print exit code, output and facts as one JSON document")
    .exitOverride()
    .addHelpText("after", examples)
    .action(async (words, options) => {
      const { helperCommand } = await import("./commands/helper.ts");
      await helperCommand(words, options);
    });
}

const examples = `
Examples:
  dualroot helper --disk gateway.vmdk:ro -- lsblk -f
  dualroot helper --disk gateway.qcow2:ro -it
  dualroot helper --disk gateway.qcow2:ro -- sh -c \\
    'vgchange -qay >&2 && mount -o ro /dev/VA/root /mnt && tar -C /mnt --xattrs -c .' > rootfs.tar
  truncate -s 2G new.img
  dualroot helper -i --disk new.img -- sh -c 'mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && tar -C /mnt -x' < rootfs.tar

The exit code is the command's own; if the helper itself fails, that of docs/exit-codes.md, with the reason on standard
error. See docs/helper.md.`;
