/**
 * The latest messages, where nothing is kept on disk. A message changes three times within seconds and is mostly asked for
 * by its sid, so it is written when somebody reads the table: one insertion instead of one and three changes, each after a
 * reading. On disk every step is written, because a killed process loses nothing that it acknowledged.
 */
import type { Database, RowHolding } from "../kernel/state.ts";
import type { Message } from "./domain/message.ts";
import { isFinished } from "./domain/message-life.ts";

export interface HeldMessages {
  get(sid: string): Message | undefined;
  /** Holds the message, or writes it when nothing more is to come: seeded ones are written. */
  add(message: Message): void;
  /** False for a message that is not held. */
  change(message: Message): boolean;
  /** Writes all, for whoever reads the table. */
  write(): void;
}

interface Held {
  readonly message: Message;
  /** Its rowid: lists order by it. */
  readonly arrival: number;
}

/** Beyond this the oldest are written. Whoever reads after a storm waits for so many insertions, some 40 ms. */
const mostHeld = 5_000;

/** @param insert writes a row; without an arrival it comes last. */
export function holdMessages(
  db: Database,
  holding: RowHolding | undefined,
  insert: (message: Message, arrival?: number) => void,
): HeldMessages {
  if (holding?.durable !== false) return { get: () => undefined, add: insert, change: () => false, write() {} };
  const latest = db.prepare("SELECT coalesce(max(rowid), 0) FROM messages").pluck();
  const held = new Map<string, Held>();
  let arrivals: number | undefined;
  const nextArrival = () => {
    arrivals = (arrivals ?? (latest.get() as number)) + 1;
    return arrivals;
  };
  const writeOne = (sid: string, { message, arrival }: Held) => {
    insert(message, arrival);
    held.delete(sid);
  };
  const rows = {
    write() {
      if (held.size === 0) return;
      const all = [...held];
      holding.atOnce(() => {
        for (const [sid, one] of all) writeOne(sid, one);
      });
      holding.changed(() => {
        for (const [sid, one] of all) held.set(sid, one);
      });
    },
    forget() {
      held.clear();
      arrivals = undefined;
    },
  };
  holding.holdBack(rows);
  return {
    get: (sid) => held.get(sid)?.message,
    add(message) {
      const one = { message, arrival: nextArrival() };
      if (isFinished(message.status)) {
        insert(message, one.arrival);
        return;
      }
      held.set(message.sid, one);
      holding.changed(() => held.delete(message.sid));
      const oldest = held.size > mostHeld ? held.entries().next().value : undefined;
      if (oldest) {
        writeOne(...oldest);
        holding.changed(() => held.set(...oldest));
      }
    },
    change(message) {
      const { sid } = message;
      const known = held.get(sid);
      if (!known) return false;
      const one = { message, arrival: known.arrival };
      held.set(sid, one);
      holding.changed(() => held.set(sid, known));
      return true;
    },
    write: rows.write,
  };
}
