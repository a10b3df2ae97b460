/** Ids and timers live in memory; where rows outlive the process, what changed in them is written with the commit. */
import type { Database } from "better-sqlite3";
import type { Ids } from "./ids.ts";
import type { Turns } from "./state-turns.ts";
import type { Timer, TimerEngine } from "./timers.ts";

export interface Memory {
  /** Writes what changed since the last commit; inside its transaction. */
  keepChanges(): void;
  /** Writes everything, for a copy of the whole database. */
  keepAll(): void;
  /** Takes what the tables say. */
  load(): void;
  /** From here on changes count. */
  follow(turns: Turns): void;
}

interface TimerRow {
  readonly kind: string;
  readonly subject: string;
  readonly due: number;
  readonly data: string | null;
  readonly trace: string | null;
}

export function createMemory(db: Database, ids: Ids, timers: TimerEngine, durable: boolean): Memory {
  const putId = db.prepare(
    "INSERT INTO kernel_ids (key, seen) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seen = excluded.seen",
  );
  const putTimer = db.prepare(
    "INSERT INTO kernel_timers (kind, subject, due, data, trace) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, subject) DO UPDATE SET due = excluded.due, data = excluded.data, trace = excluded.trace",
  );
  const dropTimer = db.prepare("DELETE FROM kernel_timers WHERE kind = ? AND subject = ?");
  const changedIds = new Map<string, number>();
  const changedTimers = new Map<string, { readonly timer: Timer; readonly scheduled: boolean }>();
  const forgetChanges = () => {
    changedIds.clear();
    changedTimers.clear();
  };
  const put = ({ kind, subject, due, data, trace }: Timer) =>
    putTimer.run(kind, subject, due, data === undefined ? null : JSON.stringify(data), trace ?? null);
  return {
    keepChanges() {
      if (!durable) return;
      for (const [key, seen] of changedIds) putId.run(key, seen);
      for (const { timer, scheduled } of changedTimers.values()) {
        if (scheduled) put(timer);
        else dropTimer.run(timer.kind, timer.subject);
      }
      forgetChanges();
    },
    keepAll() {
      db.exec("DELETE FROM kernel_ids; DELETE FROM kernel_timers");
      for (const [key, seen] of ids.dump()) putId.run(key, seen);
      for (const timer of timers.list(Number.POSITIVE_INFINITY)) put(timer);
      forgetChanges();
    },
    load() {
      forgetChanges();
      ids.load(db.prepare("SELECT key, seen FROM kernel_ids").raw().iterate() as Iterable<[string, number]>);
      const rows = db.prepare("SELECT kind, subject, due, data, trace FROM kernel_timers").all() as TimerRow[];
      timers.load(rows.map(timerOf));
    },
    follow(turns) {
      ids.onCount((key, seen) => {
        turns.changed(() => ids.uncount(key));
        if (!durable) return;
        changedIds.set(key, seen);
        turns.toKeep();
      });
      timers.onChange((change) => {
        turns.changed(() => timers.undo(change));
        if (!durable) return;
        const { timer, scheduled } = change;
        changedTimers.set(`${timer.kind}\u0000${timer.subject}`, { timer, scheduled });
        turns.toKeep();
      });
    },
  };
}

function timerOf({ kind, subject, due, data, trace }: TimerRow): Timer {
  return {
    kind,
    subject,
    due,
    ...(data === null ? {} : { data: JSON.parse(data) }),
    ...(trace === null ? {} : { trace }),
  };
}
