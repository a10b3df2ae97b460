/** Rows of the dispatcher: deliveries and their attempts. */
import type { Instant } from "./clock.ts";
import type { DeliveryState } from "./control-answers.ts";
import type { Database } from "./state.ts";

export interface Delivery {
  readonly id: string;
  readonly arrival: number;
  /** The `webhook-id`: the same for every endpoint, copy and retry of one event. */
  readonly event: string;
  /** Id of the registered endpoint; null for a callback that a client asked for. */
  readonly endpoint: string | null;
  readonly type: string;
  readonly subject: string;
  readonly occurred_at: Instant;
  readonly method: string;
  readonly url: string;
  readonly content_type: string;
  readonly body: Buffer;
  /** `endpoint`, or the name of one of the emulator's schemes. */
  readonly scheme: string;
  readonly credential: string;
  readonly trace: string | null;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly attempts: number;
  /** Attempts made before the last replay: the schedule starts again after them. */
  readonly replayed_after: number;
  readonly due: Instant;
  readonly ended_at: Instant | null;
}

export interface Attempt {
  readonly n: number;
  readonly at: Instant;
  readonly wall_at: Instant;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly bodySha256: string;
  };
  readonly outcome: string | null;
  readonly status: number | null;
  readonly detail: string | null;
  readonly response: { readonly headers: unknown; readonly body: string; readonly bodyBytes: number } | null;
  readonly wall_ms: number | null;
  readonly next_due: Instant | null;
}

export interface DeliveryFilter {
  readonly state?: DeliveryState;
  readonly endpoint?: string;
  readonly type?: string;
  readonly from?: Instant;
  readonly to?: Instant;
  readonly before?: number;
  readonly limit: number;
}

export type Deliveries = ReturnType<typeof createDeliveries>;

export function createDeliveries(db: Database) {
  const insert = db.prepare(
    `INSERT INTO kernel_deliveries (id, arrival, event, endpoint, type, subject, occurred_at, method, url, content_type, body, scheme, credential, trace, state, due)
     VALUES (@id, @arrival, @event, @endpoint, @type, @subject, @occurred_at, @method, @url, @content_type, @body, @scheme, @credential, @trace, 'waiting', @due)`,
  );
  const move = db.prepare("UPDATE kernel_deliveries SET state = ?, reason = ?, due = ?, ended_at = ? WHERE id = ?");
  const attempted = db.prepare("UPDATE kernel_deliveries SET attempts = ? WHERE id = ?");
  const again = db.prepare(
    "UPDATE kernel_deliveries SET state = 'waiting', reason = NULL, ended_at = NULL, replayed_after = attempts, due = ? WHERE id = ? AND state = 'dead'",
  );
  const one = db.prepare("SELECT * FROM kernel_deliveries WHERE id = ?");
  const waiting = db.prepare("SELECT * FROM kernel_deliveries WHERE state = 'waiting' ORDER BY arrival");
  const count = db.prepare("SELECT state, count(*) AS n FROM kernel_deliveries GROUP BY state");
  const lastArrival = db.prepare("SELECT coalesce(max(arrival), 0) FROM kernel_deliveries").pluck();
  const addAttempt = db.prepare(
    "INSERT INTO kernel_attempts (delivery, n, at, wall_at, request) VALUES (?, ?, ?, ?, ?)",
  );
  const endAttempt = db.prepare(
    "UPDATE kernel_attempts SET outcome = ?, status = ?, detail = ?, response = ?, wall_ms = ?, next_due = ? WHERE delivery = ? AND n = ?",
  );
  const history = db.prepare(
    "SELECT n, at, wall_at, request, outcome, status, detail, response, wall_ms, next_due FROM kernel_attempts WHERE delivery = ? ORDER BY n",
  );
  const list = db.prepare(
    `SELECT * FROM kernel_deliveries WHERE (@state IS NULL OR state = @state) AND (@endpoint IS NULL OR endpoint = @endpoint)
     AND (@type IS NULL OR type = @type) AND (@from IS NULL OR occurred_at >= @from) AND (@to IS NULL OR occurred_at <= @to)
     AND (@before IS NULL OR arrival < @before) ORDER BY arrival DESC LIMIT @limit`,
  );
  const finished = db
    .prepare("SELECT count(*) FROM kernel_deliveries WHERE state IN ('delivered', 'discarded')")
    .pluck();
  const oldest = db
    .prepare(
      `SELECT id FROM (SELECT * FROM (SELECT id, arrival FROM kernel_deliveries WHERE state = 'delivered' ORDER BY arrival LIMIT @n)
       UNION ALL SELECT * FROM (SELECT id, arrival FROM kernel_deliveries WHERE state = 'discarded' ORDER BY arrival LIMIT @n))
       ORDER BY arrival LIMIT @n`,
    )
    .pluck();
  const drop = db.prepare("DELETE FROM kernel_deliveries WHERE id = ?");
  const dropAttempts = db.prepare("DELETE FROM kernel_attempts WHERE delivery = ?");
  const longAnswers = db.prepare(
    "SELECT delivery, n, length(response) AS length FROM kernel_attempts WHERE length(response) > ? ORDER BY wall_at",
  );
  const cutAnswer = db.prepare(
    "UPDATE kernel_attempts SET response = json_set(response, '$.body', substr(json_extract(response, '$.body'), 1, ?)) WHERE delivery = ? AND n = ?",
  );
  const forgotten = db
    .prepare("SELECT coalesce(max(n), 0) FROM kernel_counts WHERE name = 'webhooks forgotten'")
    .pluck();
  const forget = db.prepare(
    "INSERT INTO kernel_counts (name, n) VALUES ('webhooks forgotten', ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n",
  );
  return {
    /** How many are delivered or discarded. */
    finished: () => finished.get() as number,
    /** Drops the `n` oldest of those with their attempts, and counts them. */
    forget(n: number): void {
      const ids = oldest.all({ n }) as string[];
      for (const id of ids) {
        dropAttempts.run(id);
        drop.run(id);
      }
      forget.run(ids.length);
    },
    forgotten: () => forgotten.get() as number,
    /** Attempts whose answer is kept with more than `length` characters, oldest first. */
    longAnswers: (length: number) => longAnswers.all(length) as { delivery: string; n: number; length: number }[],
    cutAnswer: (id: string, n: number, length: number) => void cutAnswer.run(length, id, n),
    insert: (delivery: Omit<Delivery, "state" | "reason" | "attempts" | "replayed_after" | "ended_at">) =>
      void insert.run(delivery),
    move: (id: string, state: DeliveryState, reason: string | null, due: Instant, endedAt: Instant | null) =>
      void move.run(state, reason, due, endedAt, id),
    attempted: (id: string, n: number) => void attempted.run(n, id),
    again: (id: string, due: Instant) => again.run(due, id).changes > 0,
    get: (id: string) => one.get(id) as Delivery | undefined,
    waiting: () => waiting.all() as Delivery[],
    counts(): Record<DeliveryState, number> {
      const rows = count.all() as { state: DeliveryState; n: number }[];
      const of = (state: DeliveryState) => rows.find((row) => row.state === state)?.n ?? 0;
      return { waiting: of("waiting"), delivered: of("delivered"), dead: of("dead"), discarded: of("discarded") };
    },
    lastArrival: () => lastArrival.get() as number,
    addAttempt: (id: string, n: number, at: Instant, wallAt: Instant, request: Attempt["request"]) =>
      void addAttempt.run(id, n, at, wallAt, JSON.stringify(request)),
    endAttempt: (id: string, attempt: Omit<Attempt, "at" | "wall_at" | "request">) =>
      void endAttempt.run(
        attempt.outcome,
        attempt.status,
        attempt.detail,
        attempt.response === null ? null : JSON.stringify(attempt.response),
        attempt.wall_ms,
        attempt.next_due,
        id,
        attempt.n,
      ),
    history: (id: string): Attempt[] =>
      (history.all(id) as (Omit<Attempt, "request" | "response"> & { request: string; response: string | null })[]).map(
        (row) => ({
          ...row,
          request: JSON.parse(row.request) as Attempt["request"],
          response: row.response === null ? null : (JSON.parse(row.response) as Attempt["response"]),
        }),
      ),
    list: ({ state, endpoint, type, from, to, before, limit }: DeliveryFilter) =>
      list.all({
        state: state ?? null,
        endpoint: endpoint ?? null,
        type: type ?? null,
        from: from ?? null,
        to: to ?? null,
        before: before ?? null,
        limit,
      }) as Delivery[],
  };
}
