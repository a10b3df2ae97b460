/** What usage records count: messages that were handed over, calls that took place, and what became of the deleted ones. */
import type { Database } from "../kernel/state.ts";
import type { PastUsageData } from "./kinds.ts";

export interface UsageSums {
  readonly count: number;
  readonly usage: number;
  /** Hundred-thousandths of a US dollar, negative as charges are. */
  readonly price: number;
}

export interface UsageQuery {
  readonly account: string;
  /** First and first-no-more instant. */
  readonly from: number;
  readonly before: number;
}

// Dividing whole numbers, SQLite cuts off.
const startedMinutes = "(json_extract(data, '$.seconds') + 59) / 60";

/** @param settle writes messages that are held back */
export function openUsage(db: Database, settle: () => void) {
  const messages = db.prepare(
    `SELECT COUNT(*) AS count, COALESCE(SUM(IIF(@mms, 1, num_segments)), 0) AS usage, COALESCE(SUM(price), 0) AS price
     FROM messages WHERE account_sid = @account AND created_at >= @from AND created_at < @before
     AND status IN ('sent', 'delivered', 'undelivered', 'read', 'received')
     AND (direction = 'inbound') = @inbound AND (num_media > 0) = @mms`,
  );
  const calls = db.prepare(
    `SELECT COUNT(*) AS count, COALESCE(SUM(${startedMinutes}), 0) AS usage,
     COALESCE(SUM(json_extract(data, '$.price')), 0) AS price FROM resources
     WHERE kind = 'call' AND parent = @account AND removed = 0 AND created_at >= @from AND created_at < @before
     AND json_extract(data, '$.status') = 'completed' AND (json_extract(data, '$.direction') = 'inbound') = @inbound`,
  );
  const recordings = db.prepare(
    `SELECT COUNT(*) AS count, COALESCE(SUM(${startedMinutes}), 0) AS usage, 0 AS price
     FROM resources WHERE kind = 'recording' AND parent = @account AND removed = 0
     AND created_at >= @from AND created_at < @before`,
  );
  const deleted = db.prepare(
    `SELECT COUNT(*) AS count, COALESCE(SUM(json_extract(data, '$.usage')), 0) AS usage,
     COALESCE(SUM(json_extract(data, '$.price')), 0) AS price FROM resources
     WHERE kind = 'past-usage' AND parent = @account AND created_at >= @from AND created_at < @before
     AND json_extract(data, '$.of') = @of AND json_extract(data, '$.inbound') = @inbound`,
  );
  const kinds = db
    .prepare(
      `SELECT COUNT(*) FROM resources WHERE kind = @kind AND account_sid = @account
       AND created_at >= @from AND created_at < @before`,
    )
    .pluck();
  const flag = (value: boolean) => (value ? 1 : 0);
  const withDeleted = (kept: unknown, query: UsageQuery, of: PastUsageData["of"], inbound: boolean): UsageSums =>
    addUsage(kept as UsageSums, deleted.get({ ...query, of, inbound: flag(inbound) }) as UsageSums);
  return {
    /** Of SMS, or of MMS: segments are counted of the one, messages of the other. */
    messageUsage(query: UsageQuery, inbound: boolean, mms: boolean): UsageSums {
      settle();
      const kept = messages.get({ ...query, inbound: flag(inbound), mms: flag(mms) });
      return withDeleted(kept, query, mms ? "mms" : "sms", inbound);
    },
    callUsage: (query: UsageQuery, inbound: boolean) =>
      withDeleted(calls.get({ ...query, inbound: flag(inbound) }), query, "calls", inbound),
    recordingUsage: (query: UsageQuery) => withDeleted(recordings.get({ ...query }), query, "recordings", false),
    /** How many of a kind were made, whether or not they are still there. */
    countMade: (kind: string, query: UsageQuery) => kinds.get({ ...query, kind }) as number,
  };
}

export function addUsage(...sums: readonly UsageSums[]): UsageSums {
  let [count, usage, price] = [0, 0, 0];
  for (const one of sums) {
    count += one.count;
    usage += one.usage;
    price += one.price;
  }
  return { count, usage, price };
}
