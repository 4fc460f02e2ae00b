#!/bin/sh
# PID 1 of the VM that makes the old gateway's disk: /dev/vda has its partition, /dev/vdb is a tar of its files.
# The kernel command line says what lies on the partition: `power.stack=ext4` or `power.stack=xfs-on-lvm`.
export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
modprobe -a virtio_pci virtio_blk crc32c_generic crc32c_intel dm_mod ext4 xfs 2>/dev/null
mkdir -p /run/lock /target
set -e
finish() {
	[ "$finished" = yes ] || echo "INSTALL-FAILED"
	sync
	poweroff -f
}
finished=no
trap finish EXIT
if grep -q power.stack=ext4 /proc/cmdline; then
	# Features that GRUB 2.02 knows, as an old gateway has them.
	mke2fs -q -F -t ext4 -O ^metadata_csum_seed,^orphan_file -U 11111111-2222-4333-8444-555555555555 /dev/vda1
	mount /dev/vda1 /target
else
	lvm pvcreate -q /dev/vda1
	lvm vgcreate -q old /dev/vda1
	lvm lvcreate -q -y -l 100%FREE -n root old
	mkfs.xfs -q -f -m crc=1,finobt=0,bigtime=0,reflink=0,inobtcount=0,rmapbt=0,uuid=11111111-2222-4333-8444-555555555555 \
		-i sparse=0,nrext64=0 /dev/mapper/old-root
	mount /dev/mapper/old-root /target
fi
tar --extract --file=/dev/vdb --directory=/target --numeric-owner --xattrs --xattrs-include='*'
umount /target
lvm vgchange -q -an
finished=yes
echo "INSTALL-DONE"
