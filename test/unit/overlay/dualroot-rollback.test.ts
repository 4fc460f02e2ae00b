import { expect, test } from "vitest";
import { freshGateway, inThrowAwaySystem } from "./throw-away-system.ts";

/** A converted gateway with the old system in slot B: its volume is mounted, as far as /proc/mounts and the script can tell. */
const withOldSystem = `${freshGateway}
grub-editenv - set A_TRY=0 B_OK=1 B_TRY=2
printf 'set slot_a="VA-root_a"\\nset slot_b="VA-root_b"\\n' >/boot/dualroot/grub/grub.cfg
mkdir -p /dev/mapper; mount -t tmpfs none /dev/mapper; : >/dev/mapper/VA-root_a; : >/dev/mapper/VA-root_b
mkdir /other; mount -t tmpfs /dev/mapper/VA-root_b /other; mkdir -p /other/boot /other/etc/dualroot
for file in vmlinuz initrd; do echo x >/other/boot/$file; done
cat >/other/boot/slot.cfg <<END
set dualroot_kernel='/boot/vmlinuz'
set dualroot_initrd='/boot/initrd'
set dualroot_arguments='quiet'
END
printf '{\\n  "name": "CentOS Linux 7 (Core)",\\n  "version": "before demo 2026.11",\\n  "oldSystem": true\\n}\\n' >/other/etc/dualroot/system.json
`;
const state = "echo; echo EXIT $?; grub-editenv - list; cat /data/dualroot/history.jsonl 2>/dev/null; exit 0";

test("makes slot B the next and A the fallback in one write, and says so in the history", async () => {
  const { output } = await inThrowAwaySystem(`${withOldSystem}
    stat -c 'INODE %i %s' /boot/dualroot/grub/grubenv
    dualroot-rollback --yes --no-reboot; ${state.replace("exit 0", "stat -c 'INODE %i %s' /boot/dualroot/grub/grubenv")}`);
  expect(output).toContain("Slot B: CentOS Linux 7 (Core) before demo 2026.11");
  expect(output).toContain("EXIT 0");
  expect(output).toContain("ORDER=B A\nA_OK=1\nA_TRY=0\nB_OK=1\nB_TRY=0\n");
  expect(output).toMatch(/"event":"rollback","slot":"A".*CentOS Linux 7/);
  expect(new Set(output.match(/INODE \d+ 1024/g)).size).toBe(1);
});

test("leads forward again from slot B, also when slot A had used up its tries", async () => {
  const { output } = await inThrowAwaySystem(
    `${withOldSystem}grub-editenv - set "ORDER=B A" A_TRY=3
    umount /other; mount -t tmpfs /dev/mapper/VA-root_a /other; mkdir -p /other/boot; for file in vmlinuz initrd; do echo x >/other/boot/$file; done
    printf "set dualroot_kernel='/boot/vmlinuz'\\nset dualroot_initrd='/boot/initrd'\\n" >/other/boot/slot.cfg
    dualroot-rollback --yes --no-reboot; ${state}`,
    "rauc.slot=B quiet",
  );
  expect(output).toContain("ORDER=A B\nA_OK=1\nA_TRY=0\n");
});

test("--json answers in JSON, --check changes nothing", async () => {
  const { output } = await inThrowAwaySystem(
    `${withOldSystem}dualroot-rollback --check --json; grub-editenv - list | head -n 1`,
  );
  const [answer, order] = output.trim().split("\n");
  expect(JSON.parse(answer ?? "")).toEqual({
    ok: true,
    outcome: "ready",
    from: "A",
    to: "B",
    system: "CentOS Linux 7 (Core) before demo 2026.11",
  });
  expect(order).toBe("ORDER=A B");
});

test.each([
  ["grub-editenv - set B_OK=0", "no-slot-to-go-to", "it is marked as not bootable"],
  ["rm /other/boot/vmlinuz", "no-slot-to-go-to", "it has no kernel /boot/vmlinuz"],
  ["rm /other/boot/slot.cfg", "no-slot-to-go-to", "it has no initramfs in its slot.cfg"],
  ["umount /dev/mapper", "no-slot-to-go-to", "its volume VA-root_b cannot be found"],
  ["umount /other", "no-slot-to-go-to", "cannot be mounted"],
  [": >/boot/dualroot/grub/grubenv", "slots-unreadable", "cannot be read"],
])("refuses, and changes nothing: %s", async (damage, code, reason) => {
  const { output } = await inThrowAwaySystem(
    `${withOldSystem}${damage}; dualroot-rollback --yes --no-reboot; ${state.replace("echo; echo", "echo")}`,
  );
  expect(output).toContain(`(${code})`);
  expect(output).toContain(reason);
  expect(output).toContain("EXIT 4");
  expect(output).not.toContain("ORDER=B A");
  expect(output).not.toContain('"rollback"');
});

test("asks, and without a terminal wants --yes", async () => {
  const { output } = await inThrowAwaySystem(
    `${withOldSystem}dualroot-rollback; ${state.replace("echo; echo", "echo")}`,
  );
  expect(output).toContain("EXIT 2");
  expect(output).toContain("(confirmation-needed)");
  const declined = await inThrowAwaySystem(
    `${withOldSystem}mount -t devpts -o ptmxmode=666 none /dev/pts; echo no | script -qec dualroot-rollback /dev/null; ${state}`,
  );
  expect(declined.output).toContain("Nothing was changed.");
  expect(declined.output).toContain("ORDER=A B");
});

test("is nothing for a system that was not booted from a slot", async () => {
  const { output, exitCode } = await inThrowAwaySystem(`${withOldSystem}dualroot-rollback --yes`, "quiet");
  expect(exitCode).toBe(4);
  expect(output).toContain("(not-dual-system)");
});
