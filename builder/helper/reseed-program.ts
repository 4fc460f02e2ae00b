/** Bytes of the host's randomness that the program takes on standard input. */
export const reseedBytes = 64;

/**
 * Position-independent, made with `as` from:
 *
 *     xor edi, edi; lea rsi, [rip+buffer]; push 64; pop rdx; xor eax, eax; syscall      # read(0, buffer, 64)
 *     cmp eax, 64; jne fail
 *     lea rdi, [rip+path]; push 1; pop rsi; push 2; pop rax; xor edx, edx; syscall      # open("/dev/urandom", O_WRONLY)
 *     test eax, eax; js fail; mov ebx, eax
 *     mov edi, eax; mov esi, 0x40085203; lea rdx, [rip+request]; push 16; pop rax; syscall  # ioctl RNDADDENTROPY
 *     test eax, eax; jnz fail
 *     mov edi, ebx; mov esi, 0x5207; xor edx, edx; push 16; pop rax; syscall            # ioctl RNDRESEEDCRNG
 *     test eax, eax; jnz fail
 *     xor edi, edi; jmp leave; fail: push 1; pop rdi; leave: push 60; pop rax; syscall  # exit(0 or 1)
 *     path: .asciz "/dev/urandom"; .balign 4
 *     request: .long 512 (bits), 64 (bytes); buffer:
 */
const code = Buffer.from(
  [
    "31ff488d356f0000006a405a31c00f0583f8407544",
    "488d3d450000006a015e6a025831d20f0585c0782f89c3",
    "89c7be03520840488d15360000006a10580f0585c07516",
    "89dfbe0752000031d26a10580f0585c0750431ffeb03",
    "6a015f6a3c580f05",
    "2f6465762f7572616e646f6d006690",
    "0002000040000000",
  ].join(""),
  "hex",
);

const headerBytes = 64 + 56;
const loadAddress = 0x400000;

/**
 * A static x86-64 program of 240 bytes, since no small tool of a Linux distribution can do it: it gives the kernel 64 bytes
 * as entropy and makes it draw from them at once (random(4)). Machines restored from one saved state would otherwise draw
 * the same UUIDs. Exit code 0, or 1 when the input was too short or the kernel refused.
 */
export function reseedProgram(): Buffer {
  const header = Buffer.alloc(headerBytes);
  // ELF header: magic, 64-bit, little-endian, version 1; executable, x86-64, version 1.
  header.write("7f454c46020101", 0, "hex");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(loadAddress + headerBytes), 24);
  header.writeBigUInt64LE(64n, 32);
  // Sizes of the ELF header and of one program header, of which there is one.
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  // Program header: load the whole file readable, writable and executable, with the buffer behind it.
  header.writeUInt32LE(1, 64);
  header.writeUInt32LE(7, 68);
  header.writeBigUInt64LE(BigInt(loadAddress), 80);
  header.writeBigUInt64LE(BigInt(loadAddress), 88);
  const size = BigInt(headerBytes + code.length);
  header.writeBigUInt64LE(size, 96);
  header.writeBigUInt64LE(size + BigInt(reseedBytes), 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, code]);
}
