import { createHash, hash } from "node:crypto";
import type { Runtime } from "../../kernel/emulator.ts";
import type { Content } from "../domain/message.ts";
import type { MailState } from "../state.ts";

/** A message up to this size is one row; a larger one goes to the store in pieces of this size, as it arrives. */
const pieceSize = 2 ** 18;
const beginningSize = 65_536;
/** Smaller buffers may be parts of one that others share. */
const smallestReleased = 8_192;

export interface Collector {
  readonly size: number;
  /** At most the first 64 KiB of what came. */
  beginning(): Buffer;
  push(chunk: Buffer): void;
  /** What came, whole; the same again when asked again. Throws when a reset took its pieces away meanwhile. */
  finish(): Content;
  /** Gives up what came. */
  discard(): void;
}

/** Gathers the bytes of one message with at most one piece of it in memory. */
export function createCollector(runtime: Pick<Runtime<MailState>, "state" | "store">): Collector {
  let chunks: Buffer[] = [];
  let size = 0;
  let spool: Spool | undefined;
  let finished: Content | undefined;

  const whole = (): Content => {
    if (spool !== undefined) return { ...spool.finish(), size };
    const raw = joined(chunks);
    return { raw, size, sha256: hash("sha256", raw, "hex"), spool: undefined };
  };

  return {
    get size() {
      return size;
    },
    beginning: () => spool?.beginning ?? joined(chunks).subarray(0, beginningSize),
    push(chunk) {
      size += chunk.length;
      if (spool !== undefined) return spool.push(chunk);
      chunks.push(chunk);
      if (size < pieceSize) return;
      spool = createSpool(runtime, joined(chunks).subarray(0, beginningSize));
      for (const held of chunks) spool.push(held);
      chunks = [];
    },
    finish() {
      finished ??= whole();
      return finished;
    },
    discard() {
      chunks = [];
      spool?.discard();
      spool = undefined;
    },
  };
}

interface Spool {
  readonly beginning: Buffer;
  push(chunk: Buffer): void;
  finish(): Omit<Content, "size">;
  discard(): void;
}

/** One buffer is filled again and again: memory that is thrown away stays with the process long after the message. */
function createSpool({ state, store }: Pick<Runtime<MailState>, "state" | "store">, start: Buffer): Spool {
  const number = state.newSpool();
  const piece = Buffer.allocUnsafe(pieceSize);
  const beginning = Buffer.from(start);
  const digest = createHash("sha256");
  let filled = 0;
  let parts = 0;
  const write = () => {
    const bytes = piece.subarray(0, filled);
    digest.update(bytes);
    const part = parts;
    store.write(() => state.addPiece(number, part, bytes));
    parts += 1;
    filled = 0;
  };
  return {
    beginning,
    push(chunk) {
      for (let from = 0; from < chunk.length; ) {
        const taken = chunk.copy(piece, filled, from);
        from += taken;
        filled += taken;
        if (filled === pieceSize) write();
      }
      release(chunk);
    },
    finish() {
      if (filled > 0) write();
      if (state.pieceCount(number) !== parts) throw new Error("the message's pieces are gone: the mailbox was reset");
      return { raw: beginning, sha256: digest.digest("hex"), spool: number };
    },
    discard: () => void store.write(() => state.dropSpool(number)),
  };
}

/**
 * Gives the memory of what a socket has read back at once: garbage collection waits until 64 MiB of such buffers lie
 * about. The stream that cuts messages copies what it keeps of a chunk, at most the two bytes after the part it passes on;
 * a part that ends the message has at least three after it, which are somebody's yet.
 */
function release({ buffer, byteOffset, length }: Buffer): void {
  if (
    length >= smallestReleased &&
    byteOffset === 0 &&
    buffer.byteLength - length <= 2 &&
    buffer instanceof ArrayBuffer
  )
    buffer.transfer(0);
}

function joined(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
