import { createHash, hash } from "node:crypto";
import type { Runtime } from "../../kernel/emulator.ts";
import type { Content } from "../domain/message.ts";
import type { MailState } from "../state.ts";

/** A message below this size is one row; a larger one goes to the store in pieces of this size, as it arrives. */
const pieceSize = 2 ** 18;
const beginningSize = 65_536;
/** Pieces that stay at hand for the next messages; with more senders at once each makes its own. */
const mostIdle = 8;

type Target = Pick<Runtime<MailState>, "state" | "store">;

/** Where pieces come from and go back to. */
interface Pieces {
  take(): Buffer;
  giveBack(piece: Buffer): void;
}

/**
 * Makes what gathers the bytes of a message, with at most one piece of it in memory. A piece is used again and again:
 * memory that is thrown away stays with the process long after the message, and new memory is slower than what was just
 * read.
 */
export function createCollectors(target: Target): () => Collector {
  const idle: Buffer[] = [];
  const pieces: Pieces = {
    take: () => idle.pop() ?? Buffer.allocUnsafeSlow(pieceSize),
    giveBack(piece) {
      if (idle.length < mostIdle) idle.push(piece);
    },
  };
  return () => new Collector(target, pieces);
}

export class Collector {
  private length = 0;
  /** A message that came at once. */
  private whole: Buffer | undefined;
  private piece: Buffer | undefined;
  private filled = 0;
  private spool: Spool | undefined;
  private finished: Content | undefined;
  private readonly target: Target;
  private readonly pieces: Pieces;

  constructor(target: Target, pieces: Pieces) {
    this.target = target;
    this.pieces = pieces;
  }

  get size(): number {
    return this.length;
  }

  /** At most the first 64 KiB of what came. */
  beginning(): Buffer {
    return this.spool?.beginning ?? this.held.subarray(0, beginningSize);
  }

  /** Copies what it is given. */
  push(part: Buffer): void {
    this.length += part.length;
    this.piece ??= this.pieces.take();
    for (let from = 0; from < part.length; ) {
      const taken = part.copy(this.piece, this.filled, from);
      from += taken;
      this.filled += taken;
      if (this.filled === pieceSize) this.spill(this.piece);
    }
  }

  /** The end of the message. It must stay as it is until `close`: a message that came at once is not copied. */
  last(part: Buffer): void {
    if (this.length > 0 || part.length >= pieceSize) {
      this.push(part);
      return;
    }
    this.whole = part;
    this.length = part.length;
  }

  /**
   * What came, whole, to be used before `close`; the same again when asked again. Throws when a reset took its pieces away
   * meanwhile.
   */
  finish(): Content {
    this.finished ??= this.gathered();
    return this.finished;
  }

  /** Gives up what came. */
  discard(): void {
    this.spool?.discard();
    this.spool = undefined;
    this.filled = 0;
  }

  /** To be called once the message is stored, or given up. */
  close(): void {
    if (this.piece !== undefined) this.pieces.giveBack(this.piece);
    this.piece = undefined;
  }

  private get held(): Buffer {
    return this.whole ?? this.piece?.subarray(0, this.filled) ?? Buffer.alloc(0);
  }

  private spill(piece: Buffer): void {
    this.spool ??= createSpool(this.target, piece);
    this.spool.write(piece);
    this.filled = 0;
  }

  private gathered(): Content {
    const { held, length: size, spool } = this;
    if (spool === undefined) return { raw: held, size, sha256: hash("sha256", held, "hex"), spool: undefined };
    if (held.length > 0) spool.write(held);
    return { ...spool.finish(), size };
  }
}

interface Spool {
  readonly beginning: Buffer;
  write(bytes: Buffer): void;
  finish(): Omit<Content, "size">;
  discard(): void;
}

function createSpool({ state, store }: Target, start: Buffer): Spool {
  const number = state.newSpool();
  const beginning = Buffer.from(start.subarray(0, beginningSize));
  const digest = createHash("sha256");
  let parts = 0;
  return {
    beginning,
    write(bytes) {
      digest.update(bytes);
      const part = parts;
      store.write(() => state.addPiece(number, part, bytes));
      parts += 1;
    },
    finish() {
      if (state.pieceCount(number) !== parts) throw new Error("the message's pieces are gone: the mailbox was reset");
      return { raw: beginning, sha256: digest.digest("hex"), spool: number };
    },
    discard: () => void store.write(() => state.dropSpool(number)),
  };
}
