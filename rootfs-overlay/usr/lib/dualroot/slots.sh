# shellcheck shell=sh
# What the health gate and dualroot-status both need to know about slots. Sourced; defines functions only.

dualroot_grubenv=/boot/dualroot/grub/grubenv

# The slot that runs, `A` or `B`, by the kernel command line.
current_slot() {
  tr ' ' '\n' </proc/cmdline | sed -n 's/^rauc\.slot=\([AB]\)$/\1/p' | tail -n 1
}

# Value of variable $1 in grubenv; empty when it cannot be read.
grub_value() {
  /usr/lib/dualroot/grub-editenv "$dualroot_grubenv" list 2>/dev/null | sed -n "s/^$1=//p" | tail -n 1
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

# Field $1 of /etc/dualroot/system.json.
system_field() {
  sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" /etc/dualroot/system.json 2>/dev/null | head -n 1
}

# Is this the old system, kept as slot B by the conversion?
is_old_system() {
  [ "$(system_field oldSystem)" = true ]
}

# Outlives slots where the layout has /data.
state_folder() {
  if grep -q ' /data ' /proc/mounts; then echo /data/dualroot; else echo /var/lib/dualroot; fi
}

# $1 as a JSON string.
json_string() {
  printf '"%s"' "$(printf '%s' "$1" | tr -d '\000-\010\013\014\016-\037' | tr '\n\r\t' '   ' | sed 's/[\\"]/\\&/g')"
}

# Appends one line to the history: event word $1, sentence $2. It is kept below 256 KiB.
record_event() {
  folder=$(state_folder)
  mkdir -p "$folder" || return 0
  history=$folder/history.jsonl
  if [ -e "$history" ] && [ "$(wc -c <"$history")" -gt 262144 ]; then
    tail -n 500 "$history" >"$history.new" && mv -f "$history.new" "$history"
  fi
  printf '{"time":%s,"event":%s,"slot":%s,"version":%s,"message":%s}\n' \
    "$(json_string "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" "$(json_string "$1")" "$(json_string "$(current_slot)")" \
    "$(json_string "$(system_field version)")" "$(json_string "$2")" >>"$history" || return 0
  sync
}
