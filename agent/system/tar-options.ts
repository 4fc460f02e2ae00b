/**
 * Everything a file has: owners as numbers, and all xattrs, among them capabilities, SELinux labels and ACLs. GNU tar's
 * own `--acls` would write user names, which the ramdisk does not know, and on extraction takes away ACLs that came as xattrs.
 */
export const tarMetadataOptions = ["--numeric-owner", "--xattrs", "--xattrs-include=*"] as const;

/** GNU tar, because nothing else restores binary xattrs, ACLs and sparse files truly. */
export const tarExtractOptions = [
  "--extract",
  "--preserve-permissions",
  "--same-owner",
  ...tarMetadataOptions,
] as const;
