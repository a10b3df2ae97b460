import type { Database } from "../kernel/state.ts";

/** An event in the life of a message that is not merely its acceptance or delivery. */
export interface StoredEvent {
  readonly message: string;
  readonly recipient: string;
  readonly type: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly detail: Readonly<Record<string, string>>;
}

export interface EventStore {
  addEvent(event: StoredEvent): void;
  /** In order of time. */
  eventsOf(message: string): readonly StoredEvent[];
  dropEvents(message: string): void;
  dropAllEvents(): void;
}

export function openEvents(db: Database): EventStore {
  const add = db.prepare(
    `INSERT INTO main.smtp_events (message, recipient, n, type, at, detail)
     VALUES (@message, @recipient, (SELECT count(*) FROM main.smtp_events WHERE message = @message AND recipient = @recipient), @type, @at, @detail)`,
  );
  const of = db.prepare(
    "SELECT message, recipient, type, at, detail FROM main.smtp_events WHERE message = ? ORDER BY at, recipient, n",
  );
  const drop = db.prepare("DELETE FROM main.smtp_events WHERE message = ?");
  const dropAll = db.prepare("DELETE FROM main.smtp_events");
  return {
    addEvent: ({ detail, ...event }) => void add.run({ ...event, detail: JSON.stringify(detail) }),
    eventsOf: (message) =>
      (of.all(message) as (Omit<StoredEvent, "detail"> & { detail: string })[]).map(({ detail, ...event }) => ({
        ...event,
        detail: JSON.parse(detail) as StoredEvent["detail"],
      })),
    dropEvents: (message) => void drop.run(message),
    dropAllEvents: () => void dropAll.run(),
  };
}
