#!/bin/sh
# Prints one digest of all files of the filesystem at $1, of their content, modes, owners, times and extended attributes.
# The other arguments are paths that are left out, relative to it. FINGERPRINT_TIMES=no leaves the times out.
set -eu
LC_ALL=C
export LC_ALL
cd "$1"
shift
skip=
times=%T@
[ "${FINGERPRINT_TIMES:-}" != no ] || times=-
for path in "$@"; do skip="$skip -path ./$path -prune -o"; done
{
	# A folder's time changes with what is made in it and removed again.
	# shellcheck disable=SC2086
	find . -xdev $skip \( -type d -printf 'd %m %U:%G %p\n' -o -printf "%y %m %U:%G %n %s $times %p %l\n" \) | sort
	# shellcheck disable=SC2086
	find . -xdev $skip -type f -print0 | sort -z | xargs -0 -r b2sum --length=128
	# shellcheck disable=SC2086
	find . -xdev $skip -print0 | sort -z | xargs -0 -r getfattr --no-dereference --dump --match=- --encoding=hex 2>/dev/null
} | tee "${FINGERPRINT_LIST:-/dev/null}" | sha256sum | cut -c 1-16
