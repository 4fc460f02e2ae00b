#!/bin/sh
# PID 1 of a machine that tries stage 1 on several old systems, one after the other: each is a disk of its own with the
# filesystem as its root. Prints "CASE ..." lines for the test; the disks are read by it afterwards.
set -u
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=linux LC_ALL=C
mount -t devtmpfs devtmpfs /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=0755 run /run
mkdir -p /run/lock/lvm /old /media
exec >/dev/console 2>&1 </dev/console
echo never >/sys/kernel/mm/transparent_hugepage/enabled
modprobe -a virtio_pci virtio_blk ext4 xfs dm_mod vfat
sleep 1
for disk in /dev/vd?; do
    [ "$(blkid -p -s LABEL -o value "$disk")" = DUALROOT ] && mount -o ro "$disk" /media
done

say() { echo "CASE $*"; }

# enter DEVICE: makes the filesystem on it look like an installed system whose root it is.
enter() {
    mount "$1" /old
    mkdir -p /old/proc /old/sys /old/dev /old/run /old/usr /old/media /old/etc/network /old/var/lib /old/var/tmp /old/sbin /old/boot /old/bin
    echo 'PRETTY_NAME="Old"' >/old/etc/os-release
    echo old >/old/etc/hostname
    echo 'root:x:0:0:root:/root:/bin/sh' >/old/etc/passwd
    echo 'root:*:19000:0:99999:7:::' >/old/etc/shadow
    echo 'root:x:0:' >/old/etc/group
    printf 'auto eth0\niface eth0 inet dhcp\n' >/old/etc/network/interfaces
    # Stage 1 must not really leave: systemd would be asked to, and this is no systemd.
    [ -e /old/bin/sh ] || ln -s /usr/bin/busybox /old/bin/sh
    printf '#!/bin/sh\nexit 0\n' >/old/bin/systemctl
    chmod 755 /old/bin/systemctl
    : >/old/sbin/kexec
    for folder in proc sys dev usr media; do mount --rbind "/$folder" "/old/$folder"; done
    [ -e /old/lib64 ] || ln -s usr/lib64 /old/lib64
    [ -e /old/lib ] || ln -s usr/lib /old/lib
    mount -t tmpfs run /old/run
    mkdir -p /old/run/systemd/system /old/run/lock/lvm /old/run/runtime
    ln -s /usr /old/run/runtime/usr
    ln -s /etc /old/run/runtime/etc
}

leave() {
    sync
    umount -R /old/media /old/usr /old/dev /old/sys /old/proc /old/run
    umount /old
}

# upgrade WORDS...
upgrade() {
    PATH=/bin:/usr/sbin:/usr/bin chroot /old /usr/bin/node --max-semi-space-size=2 /usr/lib/dualroot/agent.mjs stage1 \
        --package /media/package --runtime /run/runtime --allow-development-key "$@"
}

# convert NAME WORDS...: prepares, and tells where the command line says that stash.json lies.
convert() {
    name=$1
    shift
    rm -f /old/var/lib/dualroot/stage1.log
    free_before=$(stat -f -c %a /old)
    upgrade convert --yes --boot kexec "$@" >/run/out 2>&1
    code=$?
    sed 's/^/    /' /run/out
    place=$(sed -n 's/.*--command-line=.*dualroot.stash_at=\([0-9+]*\) .*dualroot.stash_sha256=\([0-9a-f]*\).*/\1 \2/p' /old/var/lib/dualroot/stage1.log | tail -n 1)
    attempts=$(sed -n 's/.*found in \([0-9]*\) attempts.*/\1/p' /old/var/lib/dualroot/stage1.log | tail -n 1)
    elsewhere=$(sed -n 's/.* attempts, \([0-9]*\) bytes elsewhere.*/\1/p' /old/var/lib/dualroot/stage1.log | tail -n 1)
    code_word=$(sed -n 's/^ *code: //p' /run/out | tail -n 1)
    say "$name exit=$code attempts=${attempts:-none} elsewhere=${elsewhere:-none} stash=${place:-none} refusal=${code_word:-none} flags=$(flags) below=$(below) left=$(left) loaded=$(cat /sys/kernel/kexec_loaded)"
}

# Attribute letters of the stash's file.
flags() {
    content=/old/var/lib/dualroot/stash/content
    if [ -e "$content" ]; then lsattr "$content" | cut -d ' ' -f 1 | tr -d -; else echo absent; fi
}

# Bytes of the stash's file in the filesystem's first 88 MiB.
below() { extents /old/var/lib/dualroot/stash/content 2>/dev/null | awk '$2 < 22528 { sum += $3 * 4096 } END { print sum + 0 }'; }

# Names below the stash's folder.
left() {
    names=$(find /old/var/lib/dualroot/stash -type f 2>/dev/null | sed 's,.*/,,' | sort | tr '\n' ',')
    echo "${names:-nothing}"
}

# fill FILE: takes all free space.
fill() {
    free=$(($(stat -f -c '%a * %S' "${1%/*}") / 1048576))
    until fallocate -l "${free}M" "$1" 2>/dev/null; do free=$((free - 1)); done
}

# extents FILE: "OFFSET START LENGTH" of each, in blocks of 4096 bytes; START is the filesystem's.
extents() { filefrag -v -b4096 "$1" | awk -F '[.: ,]+' '$2 ~ /^[0-9]+$/ { print $3, $5, $7 }'; }

# give_back FILE: frees the places that come in as "START LENGTH", in blocks.
give_back() {
    extents "$1" >/run/extents
    awk 'NR == FNR { offset[NR] = $1; start[NR] = $2; count[NR] = $3; n = NR; next }
        { for (i = 1; i <= n; i++) {
            from = $1 > start[i] ? $1 : start[i]
            to = $1 + $2 < start[i] + count[i] ? $1 + $2 : start[i] + count[i]
            if (to > from) print (offset[i] + from - start[i]) * 4096, (to - from) * 4096
        } }' /run/extents - >/run/holes
    while read -r offset length; do fallocate -p -o "$offset" -l "$length" "$1"; done </run/holes
    awk '{ sum += $2 } END { print int(sum / 1048576) }' /run/holes
}

# ---- XFS on a linear volume in two pieces
printf 'label: dos\n2048,131072,83\n133120,,8e\n' | sfdisk -q /dev/vda
pvcreate -q /dev/vda2 && vgcreate -q old /dev/vda2
lvcreate -q -y -Wn -Zn -l 60 -n root old && lvcreate -q -y -Wn -Zn -l 40 -n gap old && lvextend -q -l +90 old/root && lvremove -q -y old/gap
mkfs.xfs -q /dev/mapper/old-root
say "volume $(dmsetup table --target linear old-root | tr '\n' ';')"
enter /dev/mapper/old-root
convert xfs-lvm
upgrade status 2>&1 | sed 's/^/CASE status /'
leave

# ---- ext4 whose free space lies mostly where the new /boot will be: 64 MiB there, the rest elsewhere
printf 'label: dos\n2048,,83\n' | sfdisk -q /dev/vdb
mke2fs -q -m 0 -t ext4 /dev/vdb1
mount /dev/vdb1 /old
fill /old/filled
low=$(echo 0 22528 | give_back /old/filled)
# In pieces, so that the one below is what the filesystem likes best.
high=$(seq 76800 5120 158720 | sed 's/$/ 4096/' | give_back /old/filled)
sync
umount /old
say "low free: $low MiB below, $high MiB above"
enter /dev/vdb1
export DUALROOT_WITHOUT=stash-placement
convert low-unplaced
unset DUALROOT_WITHOUT
upgrade cancel >/dev/null
say "cancelled flags=$(flags) left=$(left) freed=$(($(stat -f -c %a /old) - free_before)) loaded=$(cat /sys/kernel/kexec_loaded)"
convert low
leave

# ---- ext4, full but for pieces smaller than the kernel, then with one piece that holds it
printf 'label: dos\n2048,,83\n' | sfdisk -q /dev/vdc
mke2fs -q -m 0 -t ext4 /dev/vdc1
mount /dev/vdc1 /old
fill /old/filled
pieces=$(seq 26624 2048 262144 | sed 's/$/ 1024/' | give_back /old/filled)
say "pieces free: $pieces MiB"
sync
umount /old
enter /dev/vdc1
convert pieces-refused
convert pieces-ram --accept-power-risk
upgrade cancel >/dev/null
# 20 MiB in one piece.
echo 153600 5120 | give_back /old/filled >/dev/null
sync
convert pieces
leave

# ---- XFS: cut off while it writes (nobody cleans up), then again
# The kernel that the case before has loaded would be taken for this one's.
kexec --unload
mkfs.xfs -q -f /dev/vdd
say "whole disk"
enter /dev/vdd
upgrade convert --yes --boot kexec >/dev/null 2>&1 &
waited=0
until [ "$(flags)" != absent ] || [ $waited -gt 600 ]; do waited=$((waited + 1)); usleep 100000; done
usleep 1500000
kill -KILL "$(pidof node)"
wait
say "killed flags=$(flags) left=$(left)"
chattr +i /old/var/lib/dualroot/stash/content
upgrade status 2>&1 | sed 's/^/CASE killed-status /'
convert again
leave
say "end"
sync
poweroff -f
