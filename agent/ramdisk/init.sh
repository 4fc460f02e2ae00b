#!/bin/sh
# PID 1 of the ramdisk: makes a system a program can run in and runs the agent. When the agent has prepared a slot, it turns
# into that slot's init; else it offers a shell on every console. It never ends itself: that would be a kernel panic, and a
# panic would hide what happened.

export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux LC_ALL=C

mount -t devtmpfs -o mode=0755,nosuid devtmpfs /dev
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=0620,noexec,nosuid devpts /dev/pts
# Holds the package in ram mode; the agent has checked before that it fits.
mount -t tmpfs -o mode=0755,size=90%,nosuid,nodev run /run
mkdir -p /run/dualroot /run/lock/lvm
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
[ -e /dev/stdin ] || ln -s /proc/self/fd/0 /dev/stdin
[ -e /dev/stdout ] || ln -s /proc/self/fd/1 /dev/stdout
[ -e /dev/stderr ] || ln -s /proc/self/fd/2 /dev/stderr
[ -e /etc/mtab ] || ln -s /proc/self/mounts /etc/mtab

# Where the command line names only a serial port that the machine does not have, /dev/console opens, and every write to it
# fails. The conversion must go on all the same.
if (printf '\r' >/dev/console) 2>/dev/null; then terminal=/dev/console; else terminal=/dev/null; fi
exec 0<>"$terminal" 1>&0 2>&0

# The terminals of all active consoles, the one of /dev/console last. tty0 is whatever is shown: its shell belongs on tty1,
# and it is there even where no console is.
consoles() {
	active=
	read -r active </sys/class/tty/console/active
	for console in ${active:-tty0}; do
		[ "$console" = tty0 ] && console=tty1
		[ -c "/dev/$console" ] && echo "$console"
	done
}

say_everywhere() {
	for console in $(consoles); do
		# A console nobody drives may block or be gone; the others must still be told.
		# shellcheck disable=SC2016 # the inner shell expands them
		timeout 5 sh -c 'printf "%s\r\n" "$1" >"/dev/$2"' say "$1" "$console" 2>/dev/null
	done
}

# A shell with job control on one terminal; ends when the person leaves it.
shell_on() {
	setsid -c sh -l <"/dev/$1" >"/dev/$1" 2>&1
}

has_word() {
	read -r words </proc/cmdline
	for word in $words; do
		[ "$word" = "$1" ] && return 0
	done
	return 1
}

has_word_starting() {
	read -r words </proc/cmdline
	for word in $words; do
		case $word in "$1"*) return 0 ;; esac
	done
	return 1
}

# Unless somebody is here to object.
restart_in_a_minute() {
	[ -e /run/dualroot/stay ] && return 0
	say_everywhere "$1 in 60 seconds. To stay: touch /run/dualroot/stay"
	(
		sleep 60
		[ -e /run/dualroot/stay ] || reboot -f
	) &
}

# Has the machine's watchdog reset it when nothing runs any more, or when the agent shows no sign of life for three minutes.
# (dualroot.silence=SECONDS: another limit, for tests.) Before the point of no return the next start is the old system, after it
# the conversion from the top. An agent that has ended is silent for a good reason.
guard_conversion() {
	limit=180
	read -r words </proc/cmdline
	for word in $words; do
		case $word in dualroot.silence=[1-9]*) limit=${word#*=} ;; esac
	done
	waited=0
	while [ ! -c /dev/watchdog0 ]; do
		sleep 2
		waited=$((waited + 2))
		[ "$waited" -gt 120 ] && return
	done
	# Killed, it leaves the watchdog running: that is the reset.
	watchdog -F -T 60 -t 5 /dev/watchdog0 &
	feeder=$!
	silent=0
	while [ "$silent" -lt "$limit" ]; do
		sleep 5
		silent=$((silent + 5))
		if [ -e /run/dualroot/alive ]; then
			rm /run/dualroot/alive
			silent=0
		fi
		[ -e /run/dualroot/ended ] && silent=0
	done
	say_everywhere "dualroot: the program shows no sign of life for $limit seconds. The watchdog resets the machine in a minute."
	kill -KILL "$feeder"
}

# Leaves the ramdisk for the system that the agent has mounted, with the kernel's settings as they were, and with the words
# that the kernel handed to init. Comes back only when there is nothing to leave for.
leave_for_slot() {
	marker=/run/dualroot/switch-root
	[ -e "$marker" ] || return 0
	{ read -r target && read -r init; } <"$marker"
	rm "$marker"
	# A person may have started the agent again from a shell, and rescue programs may run: only PID 1 goes on.
	kill -KILL -1
	echo "$huge_pages" >/sys/kernel/mm/transparent_hugepage/enabled
	echo "$min_free" >/proc/sys/vm/min_free_kbytes
	echo "$messages" >/proc/sys/kernel/printk
	mount -o remount,size=20% /run
	unset LC_ALL
	export HOME=/
	# util-linux's: takes /dev, /proc, /sys and /run along and gives the ramdisk's memory back.
	exec /usr/sbin/switch_root "$target" "$init" "$@"
}

if has_word dualroot.break; then
	say_everywhere "dualroot: dualroot.break was given. This shell comes before the agent: leave it with exit to go on."
	console=$(consoles | tail -n 1)
	shell_on "${console:-console}"
fi

# A slot's own kernel settings must not be ours.
huge_pages=$(sed 's/.*\[\(.*\)].*/\1/' /sys/kernel/mm/transparent_hugepage/enabled)
read -r min_free </proc/sys/vm/min_free_kbytes
read -r messages </proc/sys/kernel/printk
# Huge pages make the kernel keep 45 MiB for itself on a machine of 1 GiB, and fill more than is used. The package needs them.
echo never >/sys/kernel/mm/transparent_hugepage/enabled
echo 8192 >/proc/sys/vm/min_free_kbytes

if has_word dualroot.mode=convert; then guard_conversion & fi

# Three fingers on a keyboard must not reset a machine that is being converted.
echo 0 >/proc/sys/kernel/ctrl-alt-del
# Short-lived things in 2 MiB instead of 16: they are few, and each thread would have as much.
node --max-semi-space-size=2 /usr/lib/dualroot/agent.mjs ramdisk
status=$?
: >/run/dualroot/ended
echo 1 >/proc/sys/kernel/ctrl-alt-del
leave_for_slot "$@"

# The agent reboots by itself wherever it knows the way on, so this is a place it did not; the rescue system has said so itself.
if [ "$status" != 0 ]; then
	say_everywhere ""
	say_everywhere "dualroot: the agent ended (exit code $status). Nothing more happens by itself."
	say_everywhere "The log is in /run/dualroot/log. To run the agent again: node /usr/lib/dualroot/agent.mjs ramdisk"
	say_everywhere "To restart the machine: reboot -f"
fi

for console in $(consoles); do
	(
		while :; do
			shell_on "$console"
			# A console that has gone away must not keep a processor busy.
			sleep 2
		done
	) &
done

# A conversion that died (killed for memory, say) when the disk already boots the ramdisk: a restart begins it from the top.
# The agent leaves a marker where it has given up for good.
if { has_word dualroot.resume=1 || [ -e /run/dualroot/resume-armed ]; } && [ ! -e /run/dualroot/rescue ]; then
	restart_in_a_minute "The conversion begins again from the top"
# One that died before its first write: the old system is whole, and nobody may be here.
elif has_word dualroot.mode=convert && [ ! -e /run/dualroot/disk-changed ] && [ ! -e /run/dualroot/rescue ]; then
	restart_in_a_minute "Nothing was written to the disk: the old system starts again"
# GRUB's menu says rauc.slot=, and it has counted this try: the next restart tries again, or takes the other slot. Typed at a
# prompt there is no such word, and somebody is there.
elif has_word_starting rauc.slot=; then
	restart_in_a_minute "The slot could not be started: GRUB chooses again"
fi

# Waiting also buries the orphans of all others, which is PID 1's duty.
while :; do
	sleep 5 &
	wait $!
	leave_for_slot "$@"
done
