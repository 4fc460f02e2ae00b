/**
 * GNU tar packing what standard input names, each path ended by a zero byte: whole attributes, holes where there are zeros. ACLs and
 * SELinux labels travel as plain xattrs: `--acls` would write the build host's user names.
 */
export function tarCommand(root: string, ...more: readonly string[]): [string, ...string[]] {
  return [
    "tar",
    "--create",
    `--directory=${root}`,
    "--no-recursion",
    "--null",
    "--verbatim-files-from",
    "--no-unquote",
    "--files-from=-",
    "--format=pax",
    "--numeric-owner",
    "--xattrs",
    "--xattrs-include=*",
    // To root, XFS shows each ACL a second time, in the form it has on the disk.
    "--xattrs-exclude=trusted.SGI_ACL_*",
    "--sparse",
    "--hole-detection=raw",
    ...more,
  ];
}
