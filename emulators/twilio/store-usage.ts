/** What usage records count: messages that were handed over, calls that took place. */
import type { Database } from "../kernel/state.ts";

export interface UsageSums {
  readonly count: number;
  readonly usage: number;
  /** Hundred-thousandths of a US dollar, negative as charges are. */
  readonly price: number;
}

/** @param settle writes messages that are held back */
export function openUsage(db: Database, settle: () => void) {
  const messages = db.prepare(
    `SELECT COUNT(*) AS count, COALESCE(SUM(num_segments), 0) AS usage, COALESCE(SUM(price), 0) AS price FROM messages
     WHERE account_sid = @account AND created_at >= @from AND created_at < @before AND status NOT IN ('failed', 'canceled')
     AND (direction = 'inbound') = @inbound AND (num_media > 0) = @mms`,
  );
  const calls = db.prepare(
    `SELECT COUNT(*) AS count, COALESCE(SUM(-(-json_extract(data, '$.seconds') / 60)), 0) AS usage,
     COALESCE(SUM(json_extract(data, '$.price')), 0) AS price FROM resources
     WHERE kind = 'call' AND parent = @account AND removed = 0 AND created_at >= @from AND created_at < @before
     AND json_extract(data, '$.status') = 'completed' AND (json_extract(data, '$.direction') = 'inbound') = @inbound`,
  );
  const kinds = db
    .prepare(
      `SELECT COUNT(*) FROM resources WHERE kind = @kind AND account_sid = @account AND removed = 0
       AND created_at >= @from AND created_at < @before`,
    )
    .pluck();
  return {
    messageUsage(account: string, from: number, before: number, inbound: boolean, mms: boolean) {
      settle();
      return messages.get({ account, from, before, inbound: inbound ? 1 : 0, mms: mms ? 1 : 0 }) as UsageSums;
    },
    callUsage: (account: string, from: number, before: number, inbound: boolean) =>
      calls.get({ account, from, before, inbound: inbound ? 1 : 0 }) as UsageSums,
    countMade: (kind: string, account: string, from: number, before: number) =>
      kinds.get({ kind, account, from, before }) as number,
  };
}
