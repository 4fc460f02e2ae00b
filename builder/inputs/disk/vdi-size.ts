/** How many bytes a VDI lacks at its end, from its first 512 bytes and its size: QEMU would read zeros there. Pure. */
export function missingBytesOfVdi(head: Buffer, sizeBytes: number): number {
  const [dataOffset, blockBytes, blocks] = [344, 376, 388].map((at) => head.readUInt32LE(at)) as [
    number,
    number,
    number,
  ];
  return Math.max(0, dataOffset + blockBytes * blocks - sizeBytes);
}
