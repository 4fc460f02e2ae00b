import { expect, test } from "vitest";
import { inThrowAwaySystem } from "./throw-away-system.ts";

/** A machine with the devices of QEMU's q35 and its i6300esb, and the kernel's list as depmod writes it. */
const machine = `
modules=/lib/modules/$(uname -r)
mkdir -p $modules/kernel/drivers/watchdog $modules/kernel/drivers/net
for name in i6300esb iTCO_wdt w83627hf-wdt; do : >$modules/kernel/drivers/watchdog/$name.ko; done
: >$modules/kernel/drivers/net/e1000.ko
cat >$modules/modules.alias <<'END'
# Aliases extracted from modules themselves.
alias pci:v00008086d0000100Esv*sd*bc*sc*i* e1000
alias pci:v00008086d000025ABsv*sd*bc*sc*i* i6300esb
alias platform:iTCO_wdt iTCO_wdt
alias acpi*:W83627:* w83627hf_wdt
END
device() { mkdir -p "/sys/bus/$1/devices/$2"; echo "$3" >"/sys/bus/$1/devices/$2/modalias"; }
device pci 0000:00:02.0 pci:v00008086d0000100Esv00001AF4sd00001100bc02sc00i00
device pci 0000:00:03.0 pci:v00008086d000025ABsv00001AF4sd00001100bc08sc80i00
printf '#!/bin/sh\\necho "MODPROBE $*"\\n' >/usr/local/sbin/modprobe
printf '#!/bin/sh\\n' >/usr/local/sbin/sleep
chmod 755 /usr/local/sbin/modprobe /usr/local/sbin/sleep
# The kernel has one /dev for all: a watchdog of the machine that runs this must not be opened.
mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 || exit 1
`;

async function loaded(situation: string, shell = "dash"): Promise<string[]> {
  const { output, exitCode } = await inThrowAwaySystem(
    `${machine}${situation}ln -sf $(command -v ${shell}) /bin/sh; /usr/lib/dualroot/load-watchdog`,
  );
  expect(exitCode, output).toBe(0);
  return [...new Set([...output.matchAll(/MODPROBE -q (\S+)/g)].map(([, name]) => name!))];
}

test.each(["dash", "bash", "busybox"])(
  "in %s: the driver of the watchdog that is there, and no other",
  async (shell) => {
    expect(await loaded("", shell)).toEqual(["i6300esb"]);
  },
);

test("names that differ by a dash, and devices of other buses", async () => {
  const more = "device platform iTCO_wdt.1 platform:iTCO_wdt\ndevice acpi W83627:00 acpi:W83627:\n";
  expect(await loaded(more)).toEqual(["i6300esb", "iTCO_wdt", "w83627hf_wdt"]);
});

test.each([
  ["it is there already", ": >/dev/watchdog0\n"],
  ["the gateway does not want it", "echo DUALROOT_WATCHDOG=no >/etc/dualroot/health.conf\n"],
  ["the kernel has no such drivers", "rm -r $modules/kernel/drivers/watchdog\n"],
  ["the machine has no watchdog", "rm -r /sys/bus/pci/devices/0000:00:03.0\n"],
])("nothing is loaded when %s", async (_, situation) => {
  expect(await loaded(situation)).toEqual([]);
});
