# shellcheck shell=sh
# What every program here needs to know about slots. Sourced; defines functions only.

dualroot_grubenv=/boot/dualroot/grub/grubenv
# There once this slot's content was healthy. GRUB looks for it too.
proven_mark=/boot/slot.proven

# The slot that runs, `A` or `B`, by the kernel command line.
current_slot() {
  tr ' ' '\n' </proc/cmdline | sed -n 's/^rauc\.slot=\([AB]\)$/\1/p' | tail -n 1
}

# Value of variable $1 in grubenv; empty when it cannot be read. Who asks often may keep the list in $grubenv_text.
grub_value() {
  if [ -n "${grubenv_text:-}" ]; then
    echo "$grubenv_text"
  else
    /usr/lib/dualroot/grub-editenv "$dualroot_grubenv" list 2>/dev/null
  fi | sed -n "s/^$1=//p" | tail -n 1
}

grubenv_readable() {
  /usr/lib/dualroot/grub-editenv "$dualroot_grubenv" list >/dev/null 2>&1
}

# May GRUB boot slot $1? The same rule as in grub.cfg.
slot_bootable() {
  case " $(grub_value ORDER) " in *" $1 "*) ;; *) return 1 ;; esac
  [ "$(grub_value "$1_OK")" = 1 ] || return 1
  case $(grub_value "$1_TRY") in 0 | 1 | 2) return 0 ;; *) return 1 ;; esac
}

# A restart leads somewhere better when GRUB counts it, and there is another slot to fall back to or this one was never healthy.
# The old system was healthy for years, in another place: up and with a reason to be seen it is worth more than the rescue ramdisk.
restart_helps() {
  grubenv_readable || return 1
  if never_proven; then return 0; fi
  if [ "$(current_slot)" = A ]; then slot_bootable B; else slot_bootable A; fi
}

# Was what runs here never healthy, and is it a release?
never_proven() {
  [ ! -e "$proven_mark" ] && ! is_old_system
}

# Text of key $2 in JSON file $1, which has one key a line.
json_field() {
  sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$1" 2>/dev/null | head -n 1
}

# Field $1 of /etc/dualroot/system.json.
system_field() {
  json_field /etc/dualroot/system.json "$1"
}

# Field $2 of the record of slot $1.
slot_field() {
  json_field "$(state_folder)/slots/$1.json" "$2"
}

# Is this the old system, kept as slot B by the conversion?
is_old_system() {
  [ "$(system_field oldSystem)" = true ]
}

# /dev/mapper name of the volume of slot $1, as the menu has it; empty when there is no such slot.
slot_volume() {
  lower=$(echo "$1" | tr AB ab)
  sed -n "s/^set slot_$lower=\"\\([A-Za-z0-9_.-]*\\)\"\$/\\1/p" /boot/dualroot/grub/grub.cfg 2>/dev/null | head -n 1
}

# Outlives slots where the layout has /data.
state_folder() {
  if grep -q ' /data ' /proc/mounts; then echo /data/dualroot; else echo /var/lib/dualroot; fi
}

# $1 as a JSON string.
json_string() {
  printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\010\013\014\016-\037' | tr '\n\r\t' '   ' | sed 's/[\\"]/\\&/g')"
}

now() {
  date -u +%Y-%m-%dT%H:%M:%SZ
}

# $1 where it is a whole number that arithmetic can take, else $2. A typo in health.conf (`10min`) would end a wait at once, or the
# program; 08 would be octal.
number_or() {
  case $1 in '' | *[!0-9]* | 0?* | ??????????*) echo "$2" ;; *) echo "$1" ;; esac
}

# Not by the clock: it jumps when the time server answers.
uptime_seconds() {
  cut -d. -f1 /proc/uptime
}

# Appends one line to the history: event word $1, sentence $2. It is kept below 256 KiB.
record_event() {
  folder=$(state_folder)
  mkdir -p "$folder" 2>/dev/null || return 0
  history=$folder/history.jsonl
  if [ -e "$history" ] && [ "$(wc -c <"$history")" -gt 262144 ]; then
    tail -n 500 "$history" | tail -c 200000 | grep '^{' >"$history.new" && mv -f "$history.new" "$history"
  fi
  printf '{"time":%s,"event":%s,"slot":%s,"version":%s,"message":%s}\n' \
    "$(json_string "$(now)")" "$(json_string "$1")" "$(json_string "$(current_slot)")" \
    "$(json_string "$(system_field version)")" "$(json_string "$(printf '%s' "$2" | head -c 2000)")" \
    2>/dev/null >>"$history" || return 0
  sync
}
