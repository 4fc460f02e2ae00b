#!/bin/sh
# Installs what a fresh Debian machine with only Node and git lacks: Debian packages, then npm packages.
# Quick when there is nothing to do. Run by `npm test` and `npm run` with test:long, test:power, test:faults, demo, bench and fixtures.
# Arguments: Debian packages beside those that all of them need.
set -eu
cd "$(dirname "$0")/.."

packages="
  acl attr binutils bsdutils btrfs-progs busybox cpio curl dosfstools dracut-core dropbear-bin e2fsprogs fdisk gdisk grub-common
  grub-pc-bin gzip iproute2 iputils-ping kexec-tools kmod libcap2-bin libdeflate-tools lvm2 lz4 mmdebstrap openssh-client openssl
  passwd python3-minimal qemu-system-x86 qemu-utils rauc shellcheck squashfs-tools strace tar util-linux wget xfsprogs xz-utils zstd
"
for extra in "$@"; do packages="$packages $extra"; done

# To be put before what needs root.
as_root=
if [ "$(id -u)" -ne 0 ]; then as_root=sudo; fi
need_root() {
  [ -z "$as_root" ] || command -v sudo >/dev/null || { echo "$1 needs root: run as root or install sudo" >&2; exit 1; }
}

missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "installing Debian packages:$missing" >&2
  need_root "that"
  export DEBIAN_FRONTEND=noninteractive
  install="$as_root apt-get install -y -q --no-install-recommends"
  # shellcheck disable=SC2086 # lists of words on purpose
  { $as_root apt-get update -q && $install $missing; } >&2
fi
# Fixtures are made from packages: apt must know them.
if ! apt-cache show linux-image-amd64 >/dev/null 2>&1; then
  need_root "apt-get update"
  $as_root apt-get update -q >&2
fi

if ! cmp -s package-lock.json node_modules/.dualroot-lock; then
  echo "installing npm packages" >&2
  # Not `npm ci`: it refuses a lock file that lacks other platforms' optional binaries, which some registries do not mirror.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.dualroot-lock
fi
