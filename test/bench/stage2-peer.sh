#!/bin/sh
# What one writes by hand for stage 2: the same work as the agent's on the same package and disk, with the same tools of the
# same ramdisk, in a row. Takes the package to memory, verifies it, makes the disk anew, unpacks, reads back. Run by stage2.ts
# from the shell that dualroot.break gives, which has loaded the drivers with the clock already running; prints a line with a
# mark wherever the clock is read.
set -eu
disk=/dev/vda
old=/run/peer/old
package=/run/peer/package
target=/run/peer/target

mark() {
	echo "peer: $*"
}

# Highest MemTotal - MemAvailable in KiB, four times a second as the agent does.
watch_memory() {
	peak=0
	while [ ! -e /run/peer/stop ]; do
		used=$(awk '/^MemTotal:/ { total = $2 } /^MemAvailable:/ { print total - $2 }' /proc/meminfo)
		[ "$used" -le "$peak" ] || peak=$used
		sleep 0.25
	done
	echo "$peak" >/run/peer/peak
}

mkdir -p $old $package $target
watch_memory &

mount -t ext4 -o ro,noload ${disk}1 $old
cp $old/var/lib/dualroot/stash/package/* $package/
cp $old/var/lib/dualroot/stash/preserved.tar /run/peer/
umount $old
(cd $package && sha256sum -c SHA256SUMS >/dev/null)
mark package verified

dd if=/dev/zero of=$disk bs=1M count=16 2>/dev/null
sgdisk -Z $disk >/dev/null 2>&1 || :
sgdisk -n 1:2048:+2M -t 1:ef02 -n 2:0:+1G -t 2:8300 -n 3:0:0 -t 3:8e00 $disk >/dev/null
blockdev --rereadpt $disk || :
while [ ! -b ${disk}3 ]; do sleep 0.1; done
pvcreate -q -y -ff ${disk}3 >/dev/null
vgcreate -q -s 4m VA ${disk}3 >/dev/null
for volume in root_a:3g root_b:3g image:512m data:512m; do
	lvcreate -q -y -n "${volume%:*}" -L "${volume#*:}" VA >/dev/null
	mkfs.ext4 -q -F "/dev/mapper/VA-${volume%:*}"
done
mkfs.ext4 -q -F ${disk}2
mount /dev/mapper/VA-root_a $target
mkdir -p $target/boot/dualroot $target/image $target/data
mount ${disk}2 $target/boot/dualroot
mount /dev/mapper/VA-image $target/image
mount /dev/mapper/VA-data $target/data

mark extract begin
/usr/sbin/tar --xattrs --xattrs-include='*' --numeric-owner -xpJf $package/rootfs.tar.xz -C $target
mark extract end

/usr/sbin/tar --xattrs --xattrs-include='*' --numeric-owner -xpf /run/peer/preserved.tar -C $target
cp $package/vmlinuz-convert $package/initramfs-convert.img $target/boot/dualroot/
mkdir -p $target/boot/dualroot/grub
cp -r /usr/lib/dualroot/grub/i386-pc $target/boot/dualroot/grub/
sync
echo 3 >/proc/sys/vm/drop_caches
# busybox's sha256sum does not know the escapes of names with backslashes and newlines.
(cd $target && grep -v '^[\]' usr/lib/dualroot/rootfs.sha256 | sha256sum -c >/dev/null)
(cd $target/boot/dualroot && grep -e vmlinuz -e initramfs $package/SHA256SUMS | sha256sum -c >/dev/null)
mark read back
echo "/dev/mapper/VA-root_a / ext4 defaults 0 1" >$target/etc/fstab

umount $target/boot/dualroot $target/image $target/data $target
vgchange -q -an VA >/dev/null
dd if=/usr/lib/dualroot/grub/core.img of=${disk}1 conv=fsync 2>/dev/null
dd if=/usr/lib/dualroot/grub/boot.img of=$disk bs=440 count=1 conv=fsync,notrunc 2>/dev/null
sync
touch /run/peer/stop
wait
mark "done, peak $(cat /run/peer/peak) KiB"
