/**
 * Rows that nearly every request asks for and hardly any changes: accounts, keys, numbers, services. They are kept as they
 * were read until something in their table changes; a reading from SQLite costs some microseconds, and a created message
 * needs a dozen.
 */
import type { Database } from "../kernel/state.ts";

/** Kinds of resources that are kept; the others change with every message or call. */
export const steadyKinds: ReadonlySet<string> = new Set([
  "key",
  "signing-key",
  "phone-number",
  "short-code",
  "channel-sender",
  "outgoing-caller-id",
  "messaging-service",
  "sending-rates",
  "pool-number",
  "pool-short-code",
  "pool-alpha",
  "opt-out",
]);

export interface KeptRows {
  /** What `read` gave for this key; `undefined` is kept as well. */
  get<Row>(key: string, read: () => Row): Row;
}

/** Keys come from requests: they must not fill the memory. */
const mostKept = 4_000;

export function keepRows(db: Database): KeptRows {
  const kept = new Map<string, unknown>();
  let changing = false;
  // A change that is rolled back later in this turn would leave what was read meanwhile: nothing is kept until it is over.
  const forget = () => {
    kept.clear();
    if (changing) return null;
    changing = true;
    setImmediate(() => {
      changing = false;
    });
    return null;
  };
  db.function("twilio_kept_rows_changed", { varargs: false }, forget);
  const names = [...steadyKinds].map((name) => `'${name}'`).join(", ");
  const changes = ["INSERT", "UPDATE", "DELETE"] as const;
  for (const change of changes) {
    const row = change === "INSERT" ? "NEW" : "OLD";
    for (const [table, when] of [
      ["accounts", ""],
      ["resources", `WHEN ${row}.kind IN (${names})`],
    ] as const)
      db.exec(
        `CREATE TEMP TRIGGER kept_${table}_${change} AFTER ${change} ON main.${table} ${when}
         BEGIN SELECT twilio_kept_rows_changed(); END`,
      );
  }
  return {
    get(key, read) {
      const found = kept.get(key);
      if (found !== undefined || kept.has(key)) return found as ReturnType<typeof read>;
      const row = read();
      if (changing) return row;
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, frozen(row));
      return row;
    },
  };
}

/** Everybody gets the same object. */
function frozen(value: unknown): unknown {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) frozen(item);
  }
  return value;
}
