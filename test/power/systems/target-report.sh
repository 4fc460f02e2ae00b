#!/bin/sh
# Says on standard output what the tiny new system is: its slot, whether that is committed, and digests of its identity, of its
# files, and of the other slot's.
export LC_ALL=C
readable_identity() {
	cat /etc/hostname /etc/systemd/network/*.network /etc/hosts
	grep -e '^root:' -e '^operator:' /etc/passwd /etc/shadow
	cat /home/operator/.ssh/authorized_keys /etc/site/key
}
identity() {
	readable_identity
	cat /etc/ssh/ssh_host_*_key
}
slot=$(sed -n 's/.*rauc\.slot=\([AB]\).*/\1/p' /proc/cmdline)
if [ "$slot" = A ]; then other=b; else other=a; fi
committed=no
if grub-editenv /boot/dualroot/grub/grubenv list | tr '\n' ' ' | grep -q "${slot}_OK=1 ${slot}_TRY=0 "; then committed=yes; fi
report=none
if grep -q '"outcome": "converted"' /data/dualroot/report.json; then report=converted; fi
# Times are those of the conversion. The mark's content is the time of the first boot.
export FINGERPRINT_TIMES=no
# Seen without what is mounted on it, as from the other slot.
mkdir -p /run/self /run/other
mount --bind / /run/self
files=$(/usr/lib/fingerprint /run/self boot/slot.proven var/lib/dualroot lost+found etc/lvm)
umount /run/self
other_files=absent
if mount -t ext4 -o ro,noload "/dev/mapper/VA-root_$other" /run/other; then
	changing=
	if [ -d /run/other/usr/lib/tiny ]; then changing="boot/slot.proven var/lib/dualroot etc/lvm"; fi
	# shellcheck disable=SC2086
	other_files=$(/usr/lib/fingerprint /run/other lost+found $changing)
	umount /run/other
fi
echo "HOST-KEYS $(cat /etc/ssh/ssh_host_*_key | sha256sum | cut -c 1-16)"
# Three times: an emulated serial line repeats a character now and then.
words=$(readable_identity | grep -v '^#' | tr '\n' '|')
for _ in 1 2 3; do echo "IDENTITY $words"; done
echo "NEW-SYSTEM slot=$slot committed=$committed report=$report identity=$(identity | sha256sum | cut -c 1-16) files=$files slot_$other=$other_files"
