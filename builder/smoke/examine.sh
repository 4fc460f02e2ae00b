#!/bin/sh
# Prints what a converted gateway must show, one line "item<TAB>value" each. Runs on the new system, as root.
set -u
LC_ALL=C
export LC_ALL

item() { printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\t\n' '  ')"; }

item command-line "$(cat /proc/cmdline)"
item root "$(awk '$2 == "/" { source = $1 } END { print source }' /proc/mounts)"
item mounts "$(awk '$1 ~ /^\/dev\// { print $1 ":" $2 ":" $3 }' /proc/mounts)"
# /dev/vda3 -> vda
group=$(pvs --noheadings -o pv_name 2>/dev/null | tr -d ' ' | head -n 1)
disk=$(lsblk -n -d -o PKNAME "$group" | tr -d ' ')
item disk "$disk"
item table "$(lsblk -n -d -o PTTYPE "/dev/$disk" | tr -d ' ')"
item partitions "$(lsblk -n -b -l -o NAME,TYPE,SIZE,PARTTYPE,FSTYPE "/dev/$disk" | awk '$2 == "part" { print $1 ":" $3 ":" $4 ":" $5 }')"
item volumes "$(lvs --noheadings --nosuffix --units b --separator : -o vg_name,lv_name,lv_size 2>/dev/null | tr -d ' ')"
item free-extents "$(vgs --noheadings -o vg_free_count 2>/dev/null | tr -d ' ')"
item grubenv "$(tr -d '#' </boot/dualroot/grub/grubenv | grep '=' | tr '\n' ' ')"
item system "$(tr -d '\n' </etc/dualroot/system.json)"
item rollback "$(dualroot-rollback --check --json 2>/dev/null)"
item health "$(cat /run/dualroot/health 2>/dev/null)"
item failed-units "$(systemctl --failed --no-legend --plain | awk '{ print $1 }')"
item state "$(systemctl is-system-running)"
item report "$(base64 -w 0 /data/dualroot/report.json 2>/dev/null)"
