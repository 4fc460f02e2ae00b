/** One tar of a source, bottom first. */
export interface Layer {
  /** For messages. */
  name: string;
  /** Its bytes as a plain tar, from the start; may be asked for several times, and left early. */
  open: () => AsyncIterable<Uint8Array>;
  /** A digest says that it is whole. */
  mayLackEnd: boolean;
}
