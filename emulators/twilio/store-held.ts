/**
 * The latest messages, where nothing is kept on disk. A message changes three times within seconds and is mostly asked for
 * by its sid, so it is written when somebody reads the table or nobody asks for anything: one insertion instead of one and
 * three changes, each after a reading. On disk every step is written, because a killed process loses nothing that it
 * acknowledged.
 */
import { afterReal } from "../kernel/clock.ts";
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

/** Beyond this the oldest are written: some 10 MB. */
const mostHeld = 20_000;
/** What is finished is written when no message came for so long, so many at a time: 4 ms in which nobody is answered. */
const idleMs = 50;
const mostAtOnce = 500;

/** @param insert writes a row; without an arrival it comes last. */
export function holdMessages(
  db: Database,
  holding: RowHolding | undefined,
  insert: (message: Message, arrival?: number) => void,
): HeldMessages {
  if (holding?.durable !== false) return { get: () => undefined, add: insert, change: () => false, write() {} };
  const latest = db.prepare("SELECT coalesce(max(rowid), 0) FROM messages").pluck();
  /** In order of arrival. */
  const moving = new Map<string, Held>();
  const finished = new Map<string, Held>();
  let arrivals: number | undefined;
  let busy = false;
  let stopWaiting: (() => void) | undefined;

  const find = (sid: string) => moving.get(sid) ?? finished.get(sid);
  const drop = (sid: string) => moving.delete(sid) || finished.delete(sid);
  const hold = (one: Held) => {
    const { sid, status } = one.message;
    const [to, from] = isFinished(status) ? [finished, moving] : [moving, finished];
    from.delete(sid);
    to.set(sid, one);
    if (to === finished) stopWaiting ??= afterReal(idleMs, drain);
  };
  const write = (some: readonly Held[]) => {
    if (some.length === 0) return;
    holding.atOnce(() => {
      for (const { message, arrival } of some) {
        insert(message, arrival);
        drop(message.sid);
      }
    });
    holding.changed(() => {
      for (const one of some) hold(one);
    });
  };
  const first = (most: number, held: ReadonlyMap<string, Held>) => [...held.values().take(most)];
  const drain = () => {
    stopWaiting = undefined;
    if (!busy) write(first(mostAtOnce, finished));
    busy = false;
    if (finished.size > 0) stopWaiting = afterReal(idleMs, drain);
  };
  const rows = {
    write: () => write([...moving.values(), ...finished.values()]),
    forget() {
      moving.clear();
      finished.clear();
      arrivals = undefined;
      stopWaiting?.();
      stopWaiting = undefined;
    },
  };
  holding.holdBack(rows);
  return {
    get: (sid) => find(sid)?.message,
    add(message) {
      busy = true;
      arrivals = (arrivals ?? (latest.get() as number)) + 1;
      if (isFinished(message.status)) {
        insert(message, arrivals);
        return;
      }
      hold({ message, arrival: arrivals });
      holding.changed(() => drop(message.sid));
      if (moving.size + finished.size > mostHeld) write(first(1, finished.size > 0 ? finished : moving));
    },
    change(message) {
      const known = find(message.sid);
      if (!known) return false;
      hold({ message, arrival: known.arrival });
      holding.changed(() => hold(known));
      return true;
    },
    write: rows.write,
  };
}
