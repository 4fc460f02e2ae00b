#!/bin/sh
# RAUC's hook in a bundle made by dualroot. The bundle is a whole upgrade package: its own installer judges it and writes
# the slot, because RAUC's extraction loses extended attributes and knows nothing of the gateway's identity.
set -u
bundle=$(cd "$(dirname "$0")" && pwd) || exit 1

case ${1-} in
  install-check)
    # With code 10 RAUC refuses, shows the last line of standard error, and has marked nothing yet. The journal gets the rest.
    if [ "${RAUC_SYSTEM_COMPATIBLE-}" != "${RAUC_MF_COMPATIBLE-}" ]; then
      echo "the bundle is for ${RAUC_MF_COMPATIBLE-}, this gateway is ${RAUC_SYSTEM_COMPATIBLE-}" >&2
      exit 10
    fi
    said=$(sh "$bundle/upgrade.sh" adopt --check 2>&1) && exit 0
    printf '%s\n' "$said"
    printf '%s\n' "$said" | sed -n 's/^upgrade\.sh: //p' | paste -s -d ' ' - >&2
    exit 10
    ;;
  slot-install)
    exec sh "$bundle/upgrade.sh" adopt --slot "$RAUC_SLOT_BOOTNAME" --installed-by rauc
    ;;
  *)
    echo "this hook knows install-check and slot-install, not \"${1-}\"" >&2
    exit 1
    ;;
esac
