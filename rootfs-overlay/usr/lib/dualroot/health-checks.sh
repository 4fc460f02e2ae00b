# shellcheck shell=sh
# The health gate's checks. Sourced after slots.sh by the gate, which sets $deadline (uptime in seconds) and the settings.
# `examine` prints one line for each check: NAME, STATE and SENTENCE, with tabs between.
# STATE: ok, bad (the slot is not healthy), warning (told, judges nothing), waiting (too early to say), skipped (cannot be looked at here).

tab=$(printf '\t')

# $1 state, $2 sentence; $check is the check that says so.
finding() {
  printf '%s\t%s\t%s\n' "$check" "$1" "$(printf '%s' "$2" | tr '\t\n\r' '   ')"
}

# What a site or the years may change without the release being at fault judges only content that has not proved itself yet.
finding_in_new_release() {
  if never_proven; then finding bad "$1"; else finding warning "$1"; fi
}

check_addresses() {
  for wanted in $DUALROOT_ADDRESSES; do
    ip -o addr show to "${wanted%/*}" 2>/dev/null | grep -v -e tentative -e dadfailed | grep -q inet ||
      finding bad "address $wanted is not up"
  done
}

# An answer to a ping, or to ARP or neighbour discovery where pings are filtered.
gateway_answers() {
  case $1 in
  fe80:*) ping_target=$1%$(ip -6 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1) ;;
  *) ping_target=$1 ;;
  esac
  ping -c 1 -W 2 "$ping_target" >/dev/null 2>&1 || ping6 -c 1 -W 2 "$ping_target" >/dev/null 2>&1 ||
    ip neigh show to "$1" 2>/dev/null | grep -q REACHABLE
}

check_gateways() {
  for gateway in $DUALROOT_GATEWAYS; do
    gateway_answers "${gateway%%%*}" || finding bad "gateway $gateway does not answer"
  done
  # A lease may name another one tomorrow; on the day of the upgrade it names the same.
  for gateway in $DUALROOT_LEASED_GATEWAYS; do
    gateway_answers "$gateway" || finding_in_new_release "gateway $gateway, which DHCP gave before, does not answer"
  done
}

# Asks server $1 for the name servers of the root. Any answer will do, a refusal too.
dns_server_answers() {
  # shellcheck disable=SC2016 # the inner shell expands them
  timeout 5 bash -c '
    exec 3<>"/dev/udp/$0/53" || exit 1
    printf "\022\064\001\000\000\001\000\000\000\000\000\000\000\000\002\000\001" >&3
    test "$(timeout 3 dd bs=512 count=1 <&3 2>/dev/null | od -An -tx1 -N2 | tr -d " \n")" = 1234' "$1" >/dev/null 2>&1
}

check_dns() {
  [ -n "$DUALROOT_DNS_SERVERS" ] || return 0
  if ! bash -c 'exec 3<>/dev/udp/127.0.0.1/53' >/dev/null 2>&1; then
    finding skipped "no bash here that can ask a DNS server"
    return 0
  fi
  for server in $DUALROOT_DNS_SERVERS; do
    if dns_server_answers "$server"; then return 0; fi
  done
  finding_in_new_release "no DNS server answers: $DUALROOT_DNS_SERVERS"
}

# A ListenAddress with a port of its own leaves `port 22` in the list, on which then nobody listens. Lines are such as
# `listenaddress [::]:22` and `listenaddress 10.0.0.1:2222 rdomain red`.
ssh_ports() {
  timeout 10 sshd -T 2>/dev/null | awk '
    $1 == "port" { ports = ports " " $2 }
    $1 == "listenaddress" && sub(/^.*:/, "", $2) && $2 ~ /^[0-9]+$/ && !known[$2]++ { listening = listening " " $2 }
    END { if (listening) print listening; else if (ports) print ports; else print 22 }'
}

check_ssh() {
  [ "$DUALROOT_EXPECT_SSH" != no ] || return 0
  command -v sshd >/dev/null || command -v dropbear >/dev/null || return 0
  for port in $(ssh_ports); do
    # 0A is the state LISTEN; the second column ends with the port in hexadecimal.
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
      awk -v "ending=:$(printf %04X "$port")" '
        $4 == "0A" && substr($2, length($2) - 4) == ending { found = 1 }
        END { exit !found }' ||
      finding bad "nothing listens on the ssh port $port"
  done
}

# May unit $1 fail? Patterns as the shell's, such as `kdump.service` or `*-wait-online.service`.
unit_ignored() {
  set -f
  for pattern in $DUALROOT_IGNORE_UNITS; do
    # shellcheck disable=SC2254 # a pattern it is
    case $1 in $pattern) set +f; return 0 ;; esac
  done
  set +f
  return 1
}

check_units() {
  if [ ! -d /run/systemd/system ]; then
    finding skipped "no systemd here"
    return 0
  fi
  # Later than systemd's own verdict a unit of the boot cannot fail. A boot that takes longer than the gate's time is judged as it is.
  if never_proven && [ "$(uptime_seconds)" -lt "${deadline:-0}" ] &&
    [ "$(timeout 10 systemctl is-system-running 2>/dev/null)" = starting ]; then
    finding waiting "the system is still starting"
  fi
  failed=
  by_timer=
  # The line of an old systemd begins with a dot of its own.
  for unit in $(timeout 10 systemctl list-units --state=failed --no-legend --no-pager 2>/dev/null |
    awk '{ print ($1 ~ /\./) ? $1 : $2 }'); do
    if unit_ignored "$unit"; then continue; fi
    # What runs once a day (package lists, log rotation) may fail for want of a network that the gateway never has.
    case $(timeout 10 systemctl show -p TriggeredBy "$unit" 2>/dev/null) in
    *.timer*) by_timer="$by_timer $unit" ;;
    *) failed="$failed $unit" ;;
    esac
  done
  [ -z "$by_timer" ] || finding warning "failed units that a timer starts:$by_timer"
  [ -z "$failed" ] || finding_in_new_release "failed units:$failed"
}

check_space() {
  for place in / /data; do
    options=$(awk -v "place=$place" '$2 == place { found = $4 } END { print found }' /proc/mounts)
    # Nobody writes to what is not there or read-only.
    case ,$options, in ,, | *,ro,*) continue ;; esac
    free=$(timeout 10 df -P -k "$place" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')
    case $free in '' | *[!0-9]*) continue ;; esac
    [ "$free" -ge "$DUALROOT_MIN_FREE_MIB" ] ||
      finding_in_new_release "$place has $free MiB free, less than $DUALROOT_MIN_FREE_MIB"
  done
}

# Each of the release's own checks speaks for itself, into a file: what it leaves behind may hold a pipe open for ever.
check_release() {
  said=/run/dualroot/check-output
  mkdir -p /run/dualroot
  for program in /etc/dualroot/health.d/*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
    check=release/${program##*/}
    rm -f "$said"
    timeout -k 5 "$DUALROOT_CHECK_SECONDS" "$program" >"$said" 2>&1 </dev/null
    code=$?
    case $code in
    0) finding ok "" ;;
    # GNU timeout says 124, or 137 when it had to kill; busybox' says what the program died of.
    124 | 137 | 143) finding bad "check ${program##*/} gave no result within $DUALROOT_CHECK_SECONDS s" ;;
    *) finding bad "check ${program##*/} failed with exit code $code: $(tail -c 2000 "$said" | tail -n 1)" ;;
    esac
  done
  rm -f "$said"
}

examine() {
  basics=$(
    for check in addresses gateways dns ssh units space; do
      found=$("check_$check")
      if [ -n "$found" ]; then echo "$found"; else finding ok ""; fi
    done
  )
  echo "$basics"
  # The release's checks may cost something: only where the basics are there.
  case $basics in *"${tab}bad$tab"* | *"${tab}waiting$tab"*) ;; *) check_release ;; esac
}

# The sentences of results $1 that have state $2, in one line.
sentences() {
  echo "$1" | awk -F "$tab" -v "state=$2" '$2 == state { printf "%s%s", comma, $3; comma = "; " }'
}

# Results $1 as a JSON array.
results_as_json() {
  echo "$1" |
    sed -n 's/[\\"]/\\&/g; s/^\([^'"$tab"']*\)'"$tab"'\([^'"$tab"']*\)'"$tab"'\(.*\)$/{"check":"\1","state":"\2","message":"\3"}/p' |
    tr -d '\000-\011\013-\037' | paste -s -d, - | sed 's/^/[/; s/$/]/'
}
