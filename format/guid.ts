const guidPattern = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

export function isGuid(text: string): boolean {
  return guidPattern.test(text);
}

/** Text form to the 16 bytes on disk: the first three groups are little-endian (UEFI 2.10, appendix A). */
export function guidToBytes(guid: string): Buffer {
  if (!isGuid(guid)) throw new RangeError(`not a GUID: ${guid}`);
  return swapGroups(Buffer.from(guid.replaceAll("-", ""), "hex"));
}

/** Lower-case text, the form blkid, lsblk and sfdisk print. */
export function guidFromBytes(bytes: Uint8Array): string {
  const hex = swapGroups(Buffer.from(bytes.subarray(0, 16))).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
}

function swapGroups(bytes: Buffer): Buffer {
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
