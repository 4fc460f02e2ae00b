#!/bin/sh
# PID 1 of the tiny new system, in systemd's place: mounts, network, the real health gate, then it says what it is.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
exec </dev/console >/dev/console 2>&1
echo "NEW-SYSTEM boots"
hostname "$(cat /etc/hostname)"
grep -v -e '^#' -e ' / ' /etc/fstab | while read -r device target type _; do mount -t "$type" "$device" "$target"; done
sh /usr/lib/systemd/systemd-networkd
/usr/lib/dualroot/health-gate

identity() {
	cat /etc/hostname /etc/systemd/network/*.network /etc/hosts
	grep -e '^root:' -e '^operator:' /etc/passwd /etc/shadow
	cat /etc/ssh/ssh_host_*_key /home/operator/.ssh/authorized_keys /etc/site/key
}
committed=no
if grub-editenv /boot/dualroot/grub/grubenv list | tr '\n' ' ' | grep -q 'A_OK=1 A_TRY=0 '; then committed=yes; fi
report=none
if grep -q '"outcome": "converted"' /data/dualroot/report.json; then report=converted; fi
# Times are those of the conversion. The mark's content is the time of the first boot.
export FINGERPRINT_TIMES=no
files=$(/usr/lib/fingerprint / boot/slot.proven var/lib/dualroot lost+found etc/lvm)
mkdir -p /run/b
slot_b=absent
if mount -t ext4 -o ro,noload /dev/mapper/VA-root_b /run/b; then
	slot_b=$(/usr/lib/fingerprint /run/b lost+found)
	umount /run/b
fi
echo "HOST-KEYS $(cat /etc/ssh/ssh_host_*_key | sha256sum | cut -c 1-16)"
echo "IDENTITY $(identity | grep -v '^#' | tr '\n' '|')"
echo "NEW-SYSTEM slot=$(sed -n 's/.*rauc\.slot=\([AB]\).*/\1/p' /proc/cmdline) committed=$committed report=$report identity=$(identity | sha256sum | cut -c 1-16) files=$files slot_b=$slot_b"
sync
umount -a -r 2>/dev/null
poweroff -f
