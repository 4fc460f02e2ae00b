#!/bin/sh
# In the helper: copies out of every filesystem what tells whether it is a root. Words: device, type and kernel name of each.
# The answer is a tar with a folder for each, named by its number.

set -u
most=65536
mkdir -p /run/found /run/look

# Links of the image are not followed: they are the machine's own, not the helper's.
is_plain() {
	[ -f "$1" ] && [ ! -L "$1" ] && [ ! -L "${1%%/*}" ]
}

copy() {
	is_plain "$1" && head -c "$most" "$1" >"$2"
}

look() {
	cd /run/look || exit 1
	copy etc/fstab "$1/fstab"
	copy etc/os-release "$1/os-release" || { [ ! -L usr/lib ] && copy usr/lib/os-release "$1/os-release"; }
	for program in sbin/init usr/sbin/init lib/systemd/systemd usr/lib/systemd/systemd; do
		# A link counts wherever it leads to.
		if [ -e "$program" ] || [ -L "$program" ]; then : >"$1/init"; fi
	done
	cd /
}

number=0
while [ $# -ge 3 ]; do
	device=$1 type=$2 name=$3
	shift 3
	answer=/run/found/$number
	number=$((number + 1))
	mkdir "$answer"
	# Journals are replayed into memory: the disks take writes, the image does not get them.
	for options in ro ro,subvol=@ ro,subvol=@rootfs ro,subvol=root; do
		if mount -t "$type" -o "$options" "$device" /run/look 2>/run/error; then
			look "$answer"
			umount /run/look
		elif [ "$options" = ro ]; then
			head -c 2000 /run/error >"$answer/error"
		fi
		# Only btrfs keeps several trees in one filesystem.
		if [ "$type" != btrfs ] || [ -e "$answer/fstab" ]; then break; fi
	done
	case $type in
	ext*)
		case $(dumpe2fs -h "$device" 2>/dev/null) in
		*"Filesystem state:"*"with errors"*) echo "$name: the filesystem itself says that it has errors" >"$answer/error" ;;
		esac
		;;
	esac
done
cd /run/found && tar --create --format=ustar .
