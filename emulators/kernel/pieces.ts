/**
 * A body of bytes that others share: a page of a list is mostly what was sent before. Nothing is copied before it leaves,
 * and the journal keeps the pieces and no page. Fresh memory is what costs: 44 KB of it took longer than everything else
 * about a list of 50 messages.
 */
export class Pieces {
  readonly parts: readonly Uint8Array[];
  readonly byteLength: number;

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    let byteLength = 0;
    for (const part of parts) byteLength += part.byteLength;
    this.byteLength = byteLength;
  }

  /** All of it in memory of its own. */
  whole(): Buffer {
    return Buffer.concat(this.parts as readonly Uint8Array[], this.byteLength);
  }

  /** Writes all of it into `target`, which has room for it. */
  copyTo(target: Uint8Array): void {
    let at = 0;
    for (const part of this.parts) {
      target.set(part, at);
      at += part.byteLength;
    }
  }
}

/** Memory that bodies leave from, used again and again. */
export interface Scratch {
  /** At least this many bytes; undefined for more than is kept. */
  take(byteLength: number): Buffer | undefined;
  giveBack(buffer: Buffer): void;
}

const scratchBytes = 64 * 1024;
/** As many answers as mostly leave in one turn. */
const mostScratch = 32;

export function createScratch(): Scratch {
  const free: Buffer[] = [];
  return {
    take: (byteLength) =>
      byteLength > scratchBytes ? undefined : (free.pop() ?? Buffer.allocUnsafeSlow(scratchBytes)),
    giveBack(buffer) {
      if (free.length < mostScratch) free.push(buffer);
    },
  };
}
