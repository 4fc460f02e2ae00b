#!/bin/sh
# In the helper: mounts the chosen root with all that belongs to it below /run/root. Words: device, type, target and options of each.

set -u
root=/run/root
mkdir -p "$root"

# A link on the way would lead out of the root.
refuse_links() {
	way=
	left=${1#/}
	while [ -n "$left" ]; do
		way=$way/${left%%/*}
		case $left in */*) left=${left#*/} ;; *) left= ;; esac
		if [ -L "$root$way" ] || [ ! -d "$root$way" ]; then
			echo "$way is no folder, so nothing can be mounted at $1" >&2
			exit 3
		fi
	done
}

while [ $# -ge 4 ]; do
	target=$3
	[ "$target" = / ] && target=
	refuse_links "$target"
	# Files are read from end to end: large requests are cheaper in an emulated machine.
	blockdev --setra 8192 "$1"
	mount -t "$2" -o "$4" "$1" "$root$target" || exit 4
	shift 4
done
