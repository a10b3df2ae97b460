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

export interface Collector {
  readonly size: number;
  /** At most the first 64 KiB of what came. */
  beginning(): Buffer;
  /** Copies what it is given. */
  push(part: Buffer): void;
  /** The end of the message. It must stay as it is until `close`: a message that came at once is not copied. */
  last(part: Buffer): void;
  /**
   * What came, whole, to be used before `close`; the same again when asked again. Throws when a reset took its pieces away
   * meanwhile.
   */
  finish(): Content;
  /** Gives up what came. */
  discard(): void;
  /** To be called once the message is stored, or given up. */
  close(): void;
}

/**
 * Gathers the bytes of messages, each with at most one piece of it in memory. A piece is used again and again: memory that
 * is thrown away stays with the process long after the message, and new memory is slower than what was just read.
 */
export function createCollectors(target: Target): () => Collector {
  const idle: Buffer[] = [];
  const take = () => idle.pop() ?? Buffer.allocUnsafeSlow(pieceSize);
  const giveBack = (piece: Buffer) => {
    if (idle.length < mostIdle) idle.push(piece);
  };
  return () => createCollector(target, take, giveBack);
}

function createCollector(target: Target, take: () => Buffer, giveBack: (piece: Buffer) => void): Collector {
  let size = 0;
  /** A message that came at once. */
  let whole: Buffer | undefined;
  let piece: Buffer | undefined;
  let filled = 0;
  let spool: Spool | undefined;
  let finished: Content | undefined;
  const held = () => whole ?? piece?.subarray(0, filled) ?? Buffer.alloc(0);

  const push = (part: Buffer) => {
    size += part.length;
    piece ??= take();
    for (let from = 0; from < part.length; ) {
      const taken = part.copy(piece, filled, from);
      from += taken;
      filled += taken;
      if (filled < pieceSize) continue;
      spool ??= createSpool(target, piece);
      spool.write(piece);
      filled = 0;
    }
  };
  const gathered = (): Content => {
    if (spool === undefined) return { raw: held(), size, sha256: hash("sha256", held(), "hex"), spool: undefined };
    if (filled > 0) spool.write(held());
    return { ...spool.finish(), size };
  };

  return {
    get size() {
      return size;
    },
    beginning: () => spool?.beginning ?? held().subarray(0, beginningSize),
    push,
    last(part) {
      if (size > 0 || part.length >= pieceSize) return push(part);
      whole = part;
      size = part.length;
    },
    finish() {
      finished ??= gathered();
      return finished;
    },
    discard() {
      spool?.discard();
      spool = undefined;
      filled = 0;
    },
    close() {
      if (piece !== undefined) giveBack(piece);
      piece = undefined;
    },
  };
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
