/** The part of the NBD protocol that QEMU's client uses with a plain server (doc/proto.md of NetworkBlockDevice/nbd). */
export const nbd = {
  greeting: Buffer.concat([Buffer.from("NBDMAGICIHAVEOPT"), Buffer.from([0, 0b11])]),
  optionMagic: 0x49484156454f5054n,
  option: { exportName: 1, abort: 2, info: 6, go: 7 },
  reply: { acknowledge: 1, info: 3, unsupported: 0x80000001 },
  requestMagic: 0x25609513,
  requestBytes: 28,
  command: { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6 },
  inputOutputError: 5,
} as const;

const optionReplyMagic = 0x3e889045565a9n;
const simpleReplyMagic = 0x67446698;
/** HAS_FLAGS, SEND_FLUSH, SEND_TRIM, SEND_WRITE_ZEROES. Without SEND_FUA the client flushes where it would have used it. */
const exportFlags = 1 | 4 | 32 | 64;

export function optionReply(option: number, type: number, data: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(optionReplyMagic, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type >>> 0, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
}

/** NBD_INFO_EXPORT. */
export function exportInfo(sizeBytes: number): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt16BE(0, 0);
  info.writeBigUInt64BE(BigInt(sizeBytes), 2);
  info.writeUInt16BE(exportFlags, 10);
  return info;
}

export interface NbdRequest {
  command: number;
  handle: bigint;
  offset: number;
  length: number;
}

export function parseRequest(bytes: Buffer): NbdRequest {
  if (bytes.readUInt32BE(0) !== nbd.requestMagic) throw new Error("the NBD client sent no request");
  return {
    command: bytes.readUInt16BE(6),
    handle: bytes.readBigUInt64BE(8),
    offset: Number(bytes.readBigUInt64BE(16)),
    length: bytes.readUInt32BE(24),
  };
}

export function simpleReply(handle: bigint, error: number, data: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(simpleReplyMagic, 0);
  head.writeUInt32BE(error, 4);
  head.writeBigUInt64BE(handle, 8);
  return Buffer.concat([head, data]);
}
