#!/bin/sh
# Installs what a fresh Debian machine with only Node and git lacks: Debian packages, then npm packages.
# Quick when there is nothing to do. Run by `npm run demo`, `npm test`, `npm run bench`.
set -eu
cd "$(dirname "$0")/.."

packages="
  acl attr binutils bsdutils btrfs-progs busybox cpio curl dosfstools dracut-core dropbear-bin e2fsprogs fdisk gdisk grub-common
  grub-pc-bin gzip iproute2 iputils-ping kexec-tools kmod libcap2-bin libdeflate-tools lvm2 lz4 mmdebstrap openssh-client openssl
  passwd python3-minimal qemu-system-x86 qemu-utils rauc shellcheck squashfs-tools strace tar util-linux wget xfsprogs xz-utils zstd
"
for extra in "$@"; do packages="$packages $extra"; done

missing=
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "installing Debian packages:$missing" >&2
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "these packages need root: run as root or install sudo" >&2; exit 1; }
    as_root=sudo
  fi
  export DEBIAN_FRONTEND=noninteractive
  install="$as_root apt-get install -y -q --no-install-recommends"
  # shellcheck disable=SC2086 # lists of words on purpose
  { $as_root apt-get update -q && $install $missing; } >&2
fi
# Fixtures are made from packages: apt must know them.
if ! apt-cache show linux-image-amd64 >/dev/null 2>&1; then
  apt-get update -q >&2
fi

if ! cmp -s package-lock.json node_modules/.dualroot-lock; then
  echo "installing npm packages" >&2
  # Not `npm ci`: it refuses a lock file that lacks other platforms' optional binaries, which some registries do not mirror.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.dualroot-lock
fi
