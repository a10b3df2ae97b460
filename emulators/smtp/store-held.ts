import type { Database, RowHolding } from "../kernel/state.ts";
import type { Draft } from "./domain/message.ts";

/**
 * Rows of small messages that are written many at a time: alone, a row costs three pages that the transaction copies so
 * that it could go back. Only where nothing is kept on disk, for then nothing but the mailbox itself tells the difference.
 */
export interface HeldRows {
  /** Whether a message of so many bytes is held rather than written at once. */
  holds(size: number): boolean;
  /** Copies the bytes. Taken back when the write it happens in fails. */
  put(draft: Draft, arrival: number): void;
  get(id: string): Held | undefined;
  /** Writes what is held; nothing reads rows before. */
  write(): void;
}

export interface Held {
  readonly draft: Draft;
  readonly arrival: number;
  readonly raw: Buffer;
}

/** Beyond so many whoever sends would notice the time that writing takes. */
const mostRows = 256;
const slabBytes = 2 ** 19;
/** A larger message is most of what its row costs. */
const mostBytes = 2 ** 14;

export interface RowStatements {
  insert(draft: Draft, arrival: number, raw: Buffer): void;
  has(id: string): boolean;
  remove(id: string): void;
}

export function createHeldRows(db: Database, holder: RowHolding | undefined, rows: RowStatements): HeldRows {
  let held = new Map<string, Held>();
  /** The bytes of what is held; used again, because new memory costs more than the copy. */
  let slab: Buffer | undefined;
  let filled = 0;

  const write = () => {
    if (holder === undefined || held.size === 0) return;
    const writing = held;
    holder.atOnce(() => {
      for (const { draft, arrival, raw } of writing.values()) rows.insert(draft, arrival, raw);
    });
    held = new Map();
    if (!db.inTransaction) filled = 0;
    // The write under way may yet fail and take the rows with it, those of others too: their bytes stay where they are.
    else
      holder.changed(() => {
        for (const [id, row] of writing) if (!rows.has(id)) held.set(id, row);
      });
  };
  const holds = (size: number) => holder !== undefined && !holder.durable && size <= mostBytes;
  holder?.holdBack({
    write,
    forget() {
      held.clear();
      filled = 0;
    },
  });
  return {
    holds,
    put(draft, arrival) {
      const { id, content } = draft;
      if (held.size >= mostRows || filled + content.size > slabBytes) write();
      if (slab === undefined || filled + content.size > slabBytes) {
        slab = Buffer.allocUnsafeSlow(slabBytes);
        filled = 0;
      }
      slab.set(content.raw, filled);
      held.set(id, { draft, arrival, raw: slab.subarray(filled, filled + content.size) });
      filled += content.size;
      holder?.changed(() => {
        if (!held.delete(id)) rows.remove(id);
      });
    },
    get: (id) => held.get(id),
    write,
  };
}
