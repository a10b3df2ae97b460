/** Rows of planned faults and their counts. */
import type { Counts } from "./fault-index.ts";
import type { FaultRule } from "./faults-match.ts";
import type { Store } from "./state.ts";

export function faultRows({ db }: Store) {
  const put = db.prepare(
    "INSERT INTO kernel_faults (id, arrival, body) VALUES (?, (SELECT coalesce(max(arrival), 0) + 1 FROM kernel_faults), ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
  );
  const count = db.prepare(
    "INSERT INTO kernel_fault_counts (rule, content, matched, fired, drawn) VALUES (?, ?, ?, ?, ?) ON CONFLICT (rule, content) DO UPDATE SET matched = excluded.matched, fired = excluded.fired, drawn = excluded.drawn",
  );
  const drop = db.prepare("DELETE FROM kernel_faults WHERE id = ?");
  const forget = db.prepare("DELETE FROM kernel_fault_counts WHERE rule = ?");
  const all = db.prepare("SELECT body FROM kernel_faults ORDER BY arrival").pluck();
  const counted = db.prepare("SELECT content, matched, fired, drawn FROM kernel_fault_counts WHERE rule = ?");
  return {
    put: (rule: FaultRule) => void put.run(rule.id, JSON.stringify(rule)),
    count: (rule: string, content: string, { matched, fired, drawn }: Counts) =>
      void count.run(rule, content, matched, fired, drawn),
    forget: (rule: string) => void forget.run(rule),
    remove(rule: string) {
      drop.run(rule);
      forget.run(rule);
    },
    clear: () => void db.exec("DELETE FROM kernel_faults; DELETE FROM kernel_fault_counts"),
    clearCounts: () => void db.exec("DELETE FROM kernel_fault_counts"),
    load: () =>
      (all.all() as string[])
        .map((body) => JSON.parse(body) as FaultRule)
        .map((rule) => ({
          rule,
          counts: new Map(
            (counted.all(rule.id) as (Counts & { content: string })[]).map(({ content, ...counts }) => [
              content,
              counts,
            ]),
          ),
        })),
  };
}
