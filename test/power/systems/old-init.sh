#!/bin/sh
# PID 1 of the tiny old gateway. Every boot says what the system is; with the package's disk beside it, it also runs stage 1.
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 tmp /tmp
exec </dev/console >/dev/console 2>&1
hostname "$(cat /etc/hostname)"
ip link set lo up
ip link set eth0 up
ip address add 10.0.2.78/24 dev eth0
ip route add default via 10.0.2.2
# What stage 1 made is not the old system's: its folder, and a runtime that a cut left behind.
echo "OLD-SYSTEM $(/usr/lib/fingerprint / var/lib/dualroot 'var/tmp/dualroot-runtime.*' lost+found)"
echo "HOST-KEYS $(cat /etc/ssh/ssh_host_*_key | sha256sum | cut -c 1-16)"
if [ -b /dev/vdb ]; then
	mount -o ro /dev/vdb /mnt
	# shellcheck source=/dev/null
	. /mnt/environment
	echo "STAGE-1 begins"
	# shellcheck disable=SC2046
	sh /mnt/package/upgrade.sh $(cat /mnt/arguments)
	echo "STAGE-1 ended with $?"
	umount /mnt
fi
sync
mount -o remount,ro /
poweroff -f
