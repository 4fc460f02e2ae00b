#!/bin/sh
# PID 1 of the VM that grows volumes: /dev/vda is the gateway's disk, /dev/vdb a tar of our overlay and of /test, /dev/vdc a disk for a
# second volume group. The kernel command line says which of the phases below it is; each ends in a power cut or a power-off.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
exec </dev/console >/dev/console 2>&1
modprobe -a virtio_pci virtio_blk crc32c_generic crc32c_intel dm_mod ext4 xfs 2>/dev/null
mkdir -p /run/lock /a /b /data /usr/local/sbin
for name in pvcreate vgcreate lvcreate lvremove lvextend lvs vgs; do ln -s lvm "/usr/sbin/$name"; done
tar -xf /dev/vdb -C /
grow=/usr/lib/dualroot/grow-volumes

say() {
	echo "GROW $*"
}

ended() {
	sync
	say "phase ended"
	poweroff -f
	sleep 1000
}

# Cuts the power where program $1 would be started: nothing that is not on the disk survives.
cut_at() {
	printf '#!/bin/sh\necho "GROW cut at %s" >/dev/console\nsleep 1\necho b >/proc/sysrq-trigger\nsleep 1000\n' "$1" >"/usr/local/sbin/$1"
	chmod 755 "/usr/local/sbin/$1"
}

let_be() {
	rm -f "/usr/local/sbin/$1"
}

run_grow() {
	before=$(wc -l </data/dualroot/history.jsonl 2>/dev/null || echo 0)
	$grow
	say "$1: exit $?, events $(($(wc -l </data/dualroot/history.jsonl 2>/dev/null || echo 0) - before))"
}

report() {
	lvs --noheadings --nosuffix --units m -o lv_name,lv_size VA | sed "s/^ */GROW $1 volume /"
	say "$1 free $(vgs --noheadings -o vg_free_count VA | tr -d ' ')"
	for name in root_a root_b image; do
		say "$1 filesystem $name $(dumpe2fs -h "/dev/mapper/VA-$name" 2>/dev/null | sed -n 's/^Block count: *//p') blocks: $(dumpe2fs -h "/dev/mapper/VA-$name" 2>/dev/null | sed -n 's/^Filesystem features: *//p')"
	done
	say "$1 filesystem data $(xfs_growfs -n /data | sed -n 's/^data.*blocks=\([0-9]*\),.*/\1/p') blocks"
	say "$1 mounts $(sed -n 's/^\/dev\/mapper\/VA-\([^ ]*\) .*/\1/p' /proc/mounts | tr '\n' ' ')"
}

mount_all() {
	lvm vgchange --quiet --quiet --activate y
	mount -t ext4 /dev/mapper/VA-root_a /a
	mount -t xfs /dev/mapper/VA-data /data
	mkdir -p /boot/dualroot/grub /etc/dualroot
	grub-editenv - create
	grub-editenv - set "ORDER=A B" A_OK=1 A_TRY=0 B_OK=1 B_TRY=0
}

phase=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^grow.phase=//p')
case $phase in
cut-slot)
	# The disk as a conversion leaves it.
	pvcreate -q /dev/vda
	vgcreate -q --physicalextentsize 4m VA /dev/vda
	for volume in root_a:48 root_b:48 image:32 data:320 spare:160 stash:200; do
		lvcreate -q --yes --size "${volume#*:}m" --name "${volume%:*}" VA
	done
	sh -e /test/make-filesystems.sh
	for slot in a b; do
		mount -t ext4 "/dev/mapper/VA-root_$slot" "/$slot"
		cp -r /test/slot/. "/$slot/"
		umount "/$slot"
	done
	mount_all
	lvremove -q --yes VA/stash
	cut_at resize2fs
	$grow
	;;
cut-data)
	mount_all
	cut_at xfs_growfs
	$grow
	;;
finish)
	mount_all
	report start
	run_grow finished
	report finished
	run_grow again
	# Room comes back while one volume cannot be written and the other slot is being written.
	lvremove -q --yes VA/spare
	mount -o remount,ro /data
	grub-editenv - set B_OK=0
	run_grow hindered
	report hindered
	mount -o remount,rw /data
	grub-editenv - set B_OK=1
	run_grow mended
	report mended
	run_grow full
	cat /data/dualroot/history.jsonl
	# Behind the first segment: what GRUB reads from there, it reads through both.
	cp /test/large /a/boot/large
	sync
	say "slot A $(sha256sum /a/boot/vmlinuz | cut -c 1-16)"
	umount /a /data
	for name in root_a root_b image; do e2fsck -fn "/dev/mapper/VA-$name" >/dev/null 2>&1; say "e2fsck $name $?"; done
	mount -t ext4 -o ro /dev/mapper/VA-root_b /b
	say "slot B $(sha256sum /b/boot/vmlinuz | cut -c 1-16)"
	umount /b
	xfs_repair -n /dev/mapper/VA-data >/dev/null 2>&1
	say "xfs_repair $?"
	lvs --noheadings -o lv_name,seg_count VA | sed "s/^ */GROW segments /"

	# Another group, whose slot was made without room for more descriptor blocks: the kernel adds them the other way (meta_bg).
	pvcreate -q /dev/vdc
	vgcreate -q VB /dev/vdc
	lvcreate -q --yes --size 64m --name root_a VB
	mke2fs -q -t ext4 -b 1024 -O none,has_journal,extent,flex_bg,sparse_super,filetype,uninit_bg /dev/mapper/VB-root_a
	mount -t ext4 /dev/mapper/VB-root_a /a
	mkdir -p /etc/dualroot
	sed -i 's/"VA"/"VB"/' /etc/dualroot/system.json
	echo "root_a ext4 / 1 A" >/etc/dualroot/volumes
	$grow
	say "descriptors: exit $?"
	say "features $(dumpe2fs -h /dev/mapper/VB-root_a 2>/dev/null | sed -n 's/^Filesystem features: *//p')"
	# ext4 spreads folders over its block groups.
	for number in 1 2 3 4 5 6; do
		mkdir "/a/$number"
		cp -r /test/slot/boot "/a/$number/"
		say "group $(($(stat -c %i "/a/$number/boot/slot.cfg") / $(dumpe2fs -h /dev/mapper/VB-root_a 2>/dev/null | sed -n 's/^Inodes per group: *//p')))"
	done
	umount /a
	;;
esac
ended
