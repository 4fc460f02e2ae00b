#!/bin/sh
# Prints what makes this box that box, one line "item<TAB>value" each; runs on the old and on the new system, and smoke compares.
# Arguments: paths or globs of the files that the release preserves. Secrets are printed as fingerprints only. Needs no agent.
set -u
LC_ALL=C
export LC_ALL

item() { printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\t\n' '  ')"; }
fingerprint() { sha256sum | cut -c 1-16; }
one_line() { sort -u | tr '\n' ' ' | sed 's/ $//'; }

item hostname "$(cat /proc/sys/kernel/hostname)"
item machine-id "$(cat /etc/machine-id)"
zone=$(readlink /etc/localtime) || zone=
item "time zone" "${zone##*/zoneinfo/}"
# Names of hosts that are not the stock ones, whatever the spaces between them.
item hosts "$(sed 's/#.*//' /etc/hosts | awk 'NF > 1 && !/localhost/ && !/ip6-all/ { $1 = $1; printf "%s%s", separator, $0; separator = "; " }')"

# By MAC address: names of interfaces may change. What routers advertise is not this box's identity.
for interface in /sys/class/net/*; do
    name=${interface##*/}
    mac=$(cat "$interface/address")
    [ -e "$interface/device" ] || continue
    item "IPv4 of $mac" "$(ip -o -4 address show dev "$name" | awk '{ print $4 }' | one_line)"
    item "IPv6 of $mac" "$(ip -o -6 address show dev "$name" | grep -v -e 'scope link' -e dynamic | awk '{ print $4 }' | one_line)"
done
routes() { awk '{ for (i = 2; i < NF; i++) if ($i == "via") print $1 " via " $(i + 1) }' | sort -u | awk '{ printf "%s%s", separator, $0; separator = "; " }'; }
item "IPv4 routes" "$(ip -4 route show | routes)"
item "IPv6 routes" "$(ip -6 route show | grep -v 'proto ra' | routes)"
resolver=/etc/resolv.conf
if grep -q '^nameserver 127\.0\.0\.53' /etc/resolv.conf && [ -e /run/systemd/resolve/resolv.conf ]; then
    resolver=/run/systemd/resolve/resolv.conf
fi
item "DNS servers" "$(awk '$1 == "nameserver" { printf "%s%s", separator, $2; separator = " " }' "$resolver")"
item "search domains" "$(awk '$1 == "search" { $1 = ""; sub(/^ /, ""); print; exit }' "$resolver")"

# root and the accounts of people.
while IFS=: read -r name _ uid _ comment home shell; do
    if [ "$uid" -ne 0 ] && { [ "$uid" -lt 1000 ] || [ "$uid" -ge 60000 ]; }; then continue; fi
    item "account $name" "$home $shell ($comment)"
    item "uid of $name" "$uid"
    item "password of $name" "$(awk -F: -v name="$name" '$1 == name { print $2 }' /etc/shadow | fingerprint)"
    [ "$uid" -eq 0 ] || item "administrator $name" "$(id -nG "$name" | tr ' ' '\n' | grep -q -x -e wheel -e sudo && echo yes || echo no)"
    [ "$uid" -eq 0 ] || item "owner of $home" "$(stat -c '%U %a' "$home" 2>/dev/null)"
    if [ -f "$home/.ssh/authorized_keys" ]; then
        # Its mode may become stricter.
        item "authorized keys of $name" "$(stat -c %U "$home/.ssh/authorized_keys") $(fingerprint <"$home/.ssh/authorized_keys")"
    fi
done </etc/passwd

for key in /etc/ssh/ssh_host_*_key.pub; do
    [ -f "$key" ] || continue
    type=${key##*/ssh_host_}
    item "SSH host key ${type%_key.pub}" "$(ssh-keygen -l -f "$key" | cut -d ' ' -f 2)"
    item "SSH private key ${type%_key.pub}" "$(stat -c %a "${key%.pub}") $(fingerprint <"${key%.pub}")"
done

# Globs are meant to expand here, as the release wrote them.
for pattern in "$@"; do
    for path in $pattern; do
        find "$path" -type f 2>/dev/null | sort | while IFS= read -r file; do
            item "file $file" "$(stat -c '%U:%G %a' "$file") $(fingerprint <"$file")"
        done
    done
done
