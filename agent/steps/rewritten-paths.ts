/**
 * Files of the root filesystem that later steps rewrite on purpose, so that their digests in the package's index no longer
 * hold. Everything else must read back equal. Files that the gateway itself brought (preserved.tar) come on top.
 */
const rewritten: readonly RegExp[] = [
  // write-fstab, install-boot-files, rebuild-initramfs
  /^etc\/fstab$/,
  /^etc\/dualroot\//,
  /^boot\/slot\.cfg$/,
  /^boot\/(initrd\.img|initramfs)-[^/]+$/,
  // restore-identity: accounts
  /^etc\/(passwd|shadow|group|gshadow|subuid|subgid)-?$/,
  /^etc\/sudoers\.d\//,
  // restore-identity: names
  /^etc\/(hostname|hosts|machine-id|localtime|timezone|adjtime|locale\.conf|resolv\.conf)$/,
  /^var\/lib\/dbus\/machine-id$/,
  // restore-identity: network
  /^etc\/network\/interfaces(\.d\/.*)?$/,
  /^etc\/sysconfig\/network(-scripts\/.*)?$/,
  /^etc\/systemd\/network\//,
  /^etc\/NetworkManager\/system-connections\//,
  /^etc\/udev\/rules\.d\/.*dualroot.*$/,
];

export function isRewritten(path: string): boolean {
  return rewritten.some((pattern) => pattern.test(path));
}
