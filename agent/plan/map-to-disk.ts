import type { ByteRange } from "./step.ts";

/** A stretch of one thing and where it lies in the thing below: of a file in its device, of a device on its disk. */
export interface Piece {
  /** Offset in the upper thing, bytes. */
  offsetBytes: number;
  /** Offset in the lower one, bytes. */
  startBytes: number;
  sizeBytes: number;
}

/**
 * Follows pieces one layer down: `lower` says where each part of what `pieces` point into lies. In the order of `pieces`;
 * pieces that touch on both sides become one. Undefined when some byte has no place there.
 */
export function mapPieces(pieces: readonly Piece[], lower: readonly Piece[]): Piece[] | undefined {
  const inOrder = [...lower].sort((one, other) => one.offsetBytes - other.offsetBytes);
  const mapped: Piece[] = [];
  for (const piece of pieces) {
    let done = 0;
    while (done < piece.sizeBytes) {
      const position = piece.startBytes + done;
      const below = inOrder.find(
        ({ offsetBytes, sizeBytes }) => offsetBytes <= position && position < offsetBytes + sizeBytes,
      );
      if (!below) return undefined;
      const within = position - below.offsetBytes;
      const sizeBytes = Math.min(piece.sizeBytes - done, below.sizeBytes - within);
      mapped.push({
        offsetBytes: piece.offsetBytes + done,
        startBytes: below.startBytes + within,
        sizeBytes,
      });
      done += sizeBytes;
    }
  }
  return joinPieces(mapped);
}

/** Ordered by offset; neighbours that touch above and below are one. */
export function joinPieces(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of [...pieces].sort((one, other) => one.offsetBytes - other.offsetBytes)) {
    const before = joined.at(-1);
    if (
      before &&
      before.offsetBytes + before.sizeBytes === piece.offsetBytes &&
      before.startBytes + before.sizeBytes === piece.startBytes
    )
      before.sizeBytes += piece.sizeBytes;
    else joined.push({ ...piece });
  }
  return joined;
}

/** The parts of pieces that lie within a range below. */
export function clipPieces(pieces: readonly Piece[], { startBytes, sizeBytes }: ByteRange): Piece[] {
  return pieces.flatMap((piece) => {
    const first = Math.max(piece.startBytes, startBytes);
    const behind = Math.min(piece.startBytes + piece.sizeBytes, startBytes + sizeBytes);
    if (behind <= first) return [];
    return [
      {
        offsetBytes: piece.offsetBytes + first - piece.startBytes,
        startBytes: first,
        sizeBytes: behind - first,
      },
    ];
  });
}
