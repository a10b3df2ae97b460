/** One table for every resource that is made, listed, changed and removed, but is on no hot path. The only SQL about it. */
import type { Database } from "../kernel/state.ts";
import { type KeptRows, steadyKinds } from "./store-kept.ts";
import type { Place } from "./store-messages.ts";

/** A resource as it is kept: what every kind has, and its own data by the provider's parameter names. */
export interface Resource<Data> {
  readonly sid: string;
  readonly accountSid: string;
  /** What its list belongs to: an account, a service, a conversation, a message. */
  readonly parent: string;
  /** Found by this where its kind has a natural name: a phone number, a unique name; null when it has none. */
  readonly key: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly data: Data;
}

/** Names a kind of resource and, for the compiler, what it keeps. */
export interface Kind<Data> {
  readonly name: string;
  /** The two letters that its sids begin with. */
  readonly prefix: string;
  readonly sample?: Data;
}

export function kind<Data>(name: string, prefix: string): Kind<Data> {
  return { name, prefix };
}

export interface ResourceQuery {
  readonly parent: string;
  readonly createdFrom?: number;
  readonly createdBefore?: number;
  readonly olderThan?: Place;
  readonly newerThan?: Place;
}

interface Row {
  readonly sid: string;
  readonly accountSid: string;
  readonly parent: string;
  readonly key: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly data: string;
  readonly arrival: number;
}

const columns = `sid, account_sid AS accountSid, parent, key, created_at AS createdAt, updated_at AS updatedAt, data,
  rowid AS arrival`;

export function openResources(db: Database, kept: KeptRows) {
  const put = db.prepare("INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)");
  const change = db.prepare(
    "UPDATE resources SET account_sid = ?, parent = ?, key = ?, updated_at = ?, data = ? WHERE kind = ? AND sid = ?",
  );
  // A removed row keeps its place, so that paging past it goes on.
  const remove = db.prepare("UPDATE resources SET removed = 1, key = NULL, data = '{}' WHERE kind = ? AND sid = ?");
  const bySid = db.prepare(`SELECT ${columns} FROM resources WHERE kind = ? AND sid = ? AND removed = 0`);
  // The index ends in the rowid, so its rows come in order of arrival and the last is the newest. Asking for that order
  // makes each lookup ten times slower (7 us for 0.6, SQLite 3.54), and several happen for every message.
  const byKey = db.prepare(
    `SELECT ${columns} FROM resources INDEXED BY resources_by_key WHERE kind = ? AND key = ? AND removed = 0`,
  );
  const all = db.prepare(
    `SELECT ${columns} FROM resources WHERE kind = ? AND parent = ? AND removed = 0 ORDER BY created_at DESC, rowid DESC`,
  );
  const first = db.prepare(
    `SELECT ${columns} FROM resources WHERE kind = ? AND parent = ? AND removed = 0 ORDER BY rowid LIMIT 1`,
  );
  const recent = db.prepare(
    `SELECT ${columns} FROM resources WHERE kind = ? AND removed = 0 ORDER BY rowid DESC LIMIT ?`,
  );
  const count = db.prepare("SELECT COUNT(*) FROM resources WHERE kind = ? AND parent = ? AND removed = 0").pluck();
  const place = db.prepare(
    "SELECT created_at AS createdAt, rowid AS arrival FROM resources WHERE kind = ? AND sid = ?",
  );
  const older = db.prepare(
    `SELECT ${columns} FROM resources WHERE kind = @kind AND parent = @parent AND removed = 0
     AND created_at >= @from AND created_at < @before AND (created_at, rowid) < (@createdAt, @arrival)
     ORDER BY created_at DESC, rowid DESC`,
  );
  const newer = db.prepare(
    `SELECT ${columns} FROM resources WHERE kind = @kind AND parent = @parent AND removed = 0
     AND created_at >= @from AND created_at < @before AND (created_at, rowid) > (@createdAt, @arrival)
     ORDER BY created_at, rowid`,
  );
  const made = <Data>(row: unknown): Resource<Data> | undefined => {
    if (row === undefined) return undefined;
    const { arrival: _, ...kept } = row as Row;
    return { ...kept, data: JSON.parse(kept.data) as Data };
  };
  const lookUp = <Data>(kind: string, by: "sid" | "key", value: string, read: () => unknown) =>
    steadyKinds.has(kind) ? kept.get(`${kind} ${by} ${value}`, () => made<Data>(read())) : made<Data>(read());
  return {
    addResource<Data>({ name }: Kind<Data>, row: Resource<Data>): void {
      const { sid, accountSid, parent, key, createdAt, updatedAt, data } = row;
      put.run(name, sid, accountSid, parent, key, createdAt, updatedAt, JSON.stringify(data));
    },
    changeResource<Data>({ name }: Kind<Data>, row: Resource<Data>): void {
      change.run(row.accountSid, row.parent, row.key, row.updatedAt, JSON.stringify(row.data), name, row.sid);
    },
    removeResource({ name }: Kind<unknown>, sid: string): void {
      remove.run(name, sid);
    },
    resource: <Data>({ name }: Kind<Data>, sid: string) => lookUp<Data>(name, "sid", sid, () => bySid.get(name, sid)),
    resourceByKey: <Data>({ name }: Kind<Data>, key: string) =>
      lookUp<Data>(name, "key", key, () => byKey.all(name, key).at(-1)),
    /** Every resource of one parent, newest first. */
    resourcesOf: <Data>({ name }: Kind<Data>, parent: string): readonly Resource<Data>[] =>
      all.all(name, parent).flatMap((row) => made<Data>(row) ?? []),
    /** Of every parent, the latest arrival first. */
    recentResources: <Data>({ name }: Kind<Data>, limit: number): readonly Resource<Data>[] =>
      recent.all(name, limit).flatMap((row) => made<Data>(row) ?? []),
    firstResource: <Data>({ name }: Kind<Data>, parent: string) => made<Data>(first.get(name, parent)),
    countResources: ({ name }: Kind<unknown>, parent: string) => count.get(name, parent) as number,
    placeOfResource: ({ name }: Kind<unknown>, sid: string) => place.get(name, sid) as Place | undefined,
    /** One after another, newest first, or upwards from `newerThan`: reads no further than the caller does. */
    *eachResource<Data>({ name }: Kind<Data>, query: ResourceQuery): Generator<Resource<Data>> {
      const at = query.newerThan ?? query.olderThan ?? { createdAt: Number.MAX_SAFE_INTEGER, arrival: 0 };
      const rows = (query.newerThan ? newer : older).iterate({
        kind: name,
        parent: query.parent,
        from: query.createdFrom ?? 0,
        before: query.createdBefore ?? Number.MAX_SAFE_INTEGER,
        createdAt: at.createdAt,
        arrival: at.arrival,
      });
      for (const row of rows) {
        const resource = made<Data>(row);
        if (resource) yield resource;
      }
    },
  };
}
