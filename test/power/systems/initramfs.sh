#!/bin/sh
# PID 1 of the initramfs of both tiny systems: drivers, volumes, the root filesystem, and on to its own init.
export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
modprobe -a virtio_pci virtio_blk virtio_net virtio_rng crc32c_generic crc32c_intel dm_mod ext4 xfs 2>/dev/null
root=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^root=//p' | tail -n 1)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	case $root in /dev/mapper/*) lvm vgchange --quiet --quiet --activate y ;; esac
	[ -b "$root" ] && break
	sleep 0.3
done
mkdir -p /new
# A panic restarts the machine, as it would a real system's whose root is missing.
mount "$root" /new || { echo "TINY-PANIC: $root cannot be mounted"; exit 1; }
for folder in proc sys dev; do mount --move "/$folder" "/new/$folder"; done
exec switch_root /new /sbin/init
