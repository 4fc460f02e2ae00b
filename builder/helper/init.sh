#!/bin/sh
# PID 1 of the helper: answers requests of the host, one line each, until the host goes away. What goes over which port is
# told in docs/helper.md. No state of a command lasts but mounts, volumes and files, as on any system.

export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux LC_ALL=C

# Each program that is started costs an emulated processor 30 ms: one mounts everything, one unpacks what /dev lacks.
# debugfs says of each port whether the host is connected, which nothing else does.
mount --all --fstab /usr/lib/dualroot/fstab
cd /dev && cpio -idm --quiet </usr/lib/dualroot/dev.cpio
cd /
exec 0<>/dev/console 1>&0 2>&0

# A helper that cannot go on ends, and with it the machine; the host shows the console's last lines.
die() {
	echo "dualroot helper: $1"
	poweroff -f
}

read -r drivers </usr/lib/dualroot/required
# shellcheck disable=SC2086 # a list
modprobe -a $drivers || die "the drivers of its ports and disks cannot be loaded"
# The driver adds its ports one by one, some time after it was loaded.
tries=0
while :; do
	for port in /sys/class/virtio-ports/*; do
		name=
		{ read -r name <"$port/name"; } 2>/dev/null
		device=/dev/${port##*/}
		[ -c "$device" ] || continue
		case $name in
		dualroot.control) control=$device ;;
		dualroot.alive) alive=$device ;;
		dualroot.stdin) stdin=$device ;;
		dualroot.stdout) stdout=$device ;;
		dualroot.stderr) stderr=$device ;;
		esac
	done
	[ -n "${control-}" ] && [ -n "${alive-}" ] && [ -n "${stdin-}" ] && [ -n "${stdout-}" ] && [ -n "${stderr-}" ] && break
	tries=$((tries + 1))
	[ "$tries" -lt 6000 ] || die "QEMU gave no ports"
	sleep 0.01
done
states=/sys/kernel/debug/virtio-ports
stdin_state=$states/${stdin##*/}
alive_state=$states/${alive##*/}
[ -r "$stdin_state" ] || die "this kernel has no debugfs"
mkfifo /run/stdin /run/stdout /run/stderr
exec 3<>"$control" 4<"$stdin" 5>"$stdout" 6>"$stderr"

# To a port whose other end is not connected yet, or not known to be, reading says that the input is over.
until_connected() {
	until is_connected "$1"; do sleep 0.005; done
}

is_connected() {
	while read -r key value; do
		[ "$key" = host_connected: ] && [ "$value" = 1 ] && return 0
	done <"$1"
	return 1
}

# The host's process may be killed while a command runs: its end of this port closes then.
(
	exec 3>&- 4>&- 5>&- 6>&-
	exec 3<"$alive"
	until_connected "$alive_state"
	cat <&3 >/dev/null
	poweroff -f
) &

say() {
	echo "$1" >&3
}

# Random bytes as octal escapes, seconds since 1970, and whether disks came after the kernel had counted the devices.
start() {
	# shellcheck disable=SC2059 # the escapes are meant
	printf "$1" | /usr/lib/dualroot/reseed || die "the kernel does not take random bytes"
	date -s "@$2" >/dev/null
	[ "$3" = rescan ] && echo 1 >/sys/bus/pci/rescan
	set -- /sys/block/vd*
	[ -e "$1" ] || shift
	say "ready $*"
}

# Real pipes for the command, since a port is a device: it can be opened only once, and takes 32 KiB at a time. Its output is
# over when all that have it open are gone; then the mark says so to the host.
run() {
	mark=$1 input=$2
	shift 2
	cat </run/stdout >&5 &
	stdout_pump=$!
	cat </run/stderr >&6 &
	stderr_pump=$!
	if [ "$input" = input ]; then
		# An input that ends before the connection is noticed would look like one that never began.
		until_connected "$stdin_state"
		say reading
		cat <&4 >/run/stdin 2>/dev/null &
		stdin_pump=$!
		source=/run/stdin
	else
		source=/dev/null
	fi
	(
		exec 3>&- 4>&- 5>&- 6>&-
		exec "$@"
	) <"$source" >/run/stdout 2>/run/stderr
	status=$?
	wait "$stdout_pump" "$stderr_pump"
	printf %s "$mark" >&5
	printf %s "$mark" >&6
	say "exit $status"
	# What the command did not want: the host hangs up when it has the answer.
	if [ "$input" = input ]; then
		wait "$stdin_pump"
		cat <&4 >/dev/null
		say idle
	fi
}

terminal() {
	(
		exec 3>&- 4>&- 5>&- 6>&-
		# Open from here to the command: with its last user a terminal forgets its size.
		exec 7<>/dev/hvc0
		stty -F /dev/hvc0 sane rows "$1" cols "$2"
		export TERM="$3"
		shift 3
		exec setsid -c "$@" <&7 >&7 2>&1 7>&-
	)
	say "exit $?"
}

# Filesystems must be whole when the host takes the disks back.
leave() {
	cd /
	busy=
	while read -r source target rest; do
		case $source in /dev/*) set -- "$target" "$@" ;; esac
	done </proc/mounts
	for target in "$@"; do
		# The kernel writes a space in a name as \040.
		target=$(printf %b "$target")
		umount "$target" 2>/dev/null || mount -o remount,ro "$target" 2>/dev/null || busy=busy
	done
	sync
	say "off $busy"
}

newline='
'
: "$newline"
say hello
while read -r verb words <&3; do
	eval "set -- $words"
	case $verb in
	preload)
		read -r drivers </usr/lib/dualroot/preload
		# shellcheck disable=SC2086 # a list
		modprobe -a $drivers
		say preloaded
		;;
	start) start "$@" ;;
	run) run "$@" ;;
	terminal) terminal "$@" ;;
	off) leave ;;
	*) die "the host asks for \"$verb\"" ;;
	esac
done
# The host is gone.
poweroff -f
