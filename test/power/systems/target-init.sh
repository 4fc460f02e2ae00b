#!/bin/sh
# PID 1 of the tiny new system, in systemd's place: mounts, network, the real health gate, then it says what it is and powers off.
# With a disk beside it whose serial number is `orders` it stays up instead: the disk is mounted at /opt, and every line typed on
# the console is run.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
exec </dev/console >/dev/console 2>&1
echo "NEW-SYSTEM boots"
mkdir -p /run/systemd/system /run/lock
# LVM made nodes there; udev makes links.
for volume in /sys/block/dm-*; do ln -sf "../${volume##*/}" "/dev/mapper/$(cat "$volume/dm/name")"; done
# As its unit does, before everything that may hang.
/usr/lib/dualroot/boot-deadline </dev/null &
hostname "$(cat /etc/hostname)"
grep -v -e '^#' -e ' / ' /etc/fstab | while read -r device target type _; do mount -t "$type" "$device" "$target"; done
sh /usr/lib/systemd/systemd-networkd
orders=
for disk in /sys/block/vd*; do
	if [ "$(cat "$disk/serial" 2>/dev/null)" = orders ]; then orders=/dev/${disk##*/}; fi
done

if [ -n "$orders" ]; then
	stty -echo
	mount -t ext4 "$orders" /opt
	/usr/lib/dualroot/health-gate </dev/null &
	echo "TINY-READY"
	while IFS= read -r order; do (eval "$order") </dev/null; done
fi

/usr/lib/dualroot/health-gate
/usr/lib/tiny/report
sync
umount -a -r 2>/dev/null
poweroff -f
