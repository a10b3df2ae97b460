/**
 * One SQLite database per emulator: in memory, or in BACKLOT_DATA_DIR. The writes of one event-loop turn share a
 * transaction (group commit) and every answer waits for it, so that a killed process loses nothing it acknowledged.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite, { type Database } from "better-sqlite3";
import type { Ids } from "./ids.ts";
import type { Timer, TimerEngine } from "./timers.ts";

export type { Database };

export interface Store {
  readonly db: Database;
  /** True when rows are kept on disk. */
  readonly durable: boolean;
  /**
   * Runs `work` as one all-or-nothing change inside this turn's transaction. What `work` did to ids and timers is kept
   * with the same commit. `afterCommit` callbacks registered meanwhile run once it is durable.
   */
  write<T>(work: () => T): T;
  /** Resolves when everything written so far is committed; at once when nothing is open. */
  committed(): Promise<void>;
  afterCommit(action: () => void): void;
  /** Takes the present rows, ids and timers as what `reset` goes back to. */
  keepPristine(): void;
  /** Empties every table, counts and timers: what a new seed is applied to. */
  clear(): void;
  /** Goes back to the pristine copy. */
  reset(): void;
  snapshots: {
    save(name: string): void;
    restore(name: string): boolean;
    delete(name: string): boolean;
    list(): readonly { readonly name: string; readonly savedAt: number; readonly digest: string }[];
  };
  /** SHA-256 over all provider-visible rows in key order, without arrival sequences and wall times. */
  digest(): string;
  readonly commits: number;
  /** Facts about the database itself, outside reset and digest. */
  meta: { get(name: string): string | undefined; set(name: string, value: string): void };
  close(): void;
}

const kernelTables = `
CREATE TABLE IF NOT EXISTS kernel_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_ids (key TEXT PRIMARY KEY, seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_timers (
  kind TEXT NOT NULL, subject TEXT NOT NULL, due INTEGER NOT NULL, data TEXT, trace TEXT, PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_endpoints (id TEXT PRIMARY KEY, arrival INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_deliveries (
  id TEXT PRIMARY KEY, arrival INTEGER NOT NULL, event TEXT NOT NULL, endpoint TEXT, type TEXT NOT NULL,
  subject TEXT NOT NULL, occurred_at INTEGER NOT NULL, method TEXT NOT NULL, url TEXT NOT NULL,
  content_type TEXT NOT NULL, body BLOB NOT NULL, scheme TEXT NOT NULL, credential TEXT NOT NULL,
  trace TEXT, state TEXT NOT NULL, reason TEXT, attempts INTEGER NOT NULL DEFAULT 0,
  replayed_after INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, ended_at INTEGER
);
CREATE INDEX IF NOT EXISTS kernel_deliveries_state ON kernel_deliveries (state, arrival);
CREATE TABLE IF NOT EXISTS kernel_attempts (
  delivery TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, wall_at INTEGER NOT NULL, request TEXT NOT NULL,
  outcome TEXT, status INTEGER, detail TEXT, response TEXT, wall_ms REAL, next_due INTEGER,
  PRIMARY KEY (delivery, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_faults (id TEXT PRIMARY KEY, arrival INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_fault_counts (
  rule TEXT NOT NULL, content TEXT NOT NULL, matched INTEGER NOT NULL, fired INTEGER NOT NULL, drawn INTEGER NOT NULL,
  PRIMARY KEY (rule, content)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_limits (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kernel_replays (
  key TEXT PRIMARY KEY, arrival INTEGER NOT NULL, at INTEGER NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
  headers TEXT NOT NULL, body BLOB
);
CREATE INDEX IF NOT EXISTS kernel_replays_arrival ON kernel_replays (arrival);
`;

export interface StoreOptions {
  readonly name: string;
  readonly tables: string;
  readonly pageSize: number;
  readonly dataDir: string | undefined;
  readonly ids: Ids;
  readonly timers: TimerEngine;
  /** Virtual time, to date snapshots. */
  readonly now: () => number;
  /** Told when a commit fails; nothing after it can be trusted. */
  readonly onFailure: (cause: unknown) => void;
}

export function openStore(options: StoreOptions): Store & { readonly fresh: boolean } {
  const { name, dataDir, ids, timers } = options;
  if (dataDir) mkdirSync(dataDir, { recursive: true });
  const path = dataDir ? join(dataDir, `${name}.sqlite`) : ":memory:";
  const pristinePath = dataDir ? join(dataDir, `${name}.pristine.sqlite`) : ":memory:";
  const fresh = !dataDir || !existsSync(path) || !existsSync(pristinePath);
  if (dataDir && fresh)
    for (const file of [path, `${path}-wal`, `${path}-shm`, pristinePath]) rmSync(file, { force: true });
  const db = new BetterSqlite(path);
  db.pragma(`page_size = ${options.pageSize}`);
  if (dataDir) {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = NORMAL");
  }
  db.pragma("foreign_keys = ON");
  db.exec(kernelTables);
  db.exec(options.tables);
  db.prepare("ATTACH ? AS pristine").run(pristinePath);

  const statement = {
    begin: db.prepare("BEGIN"),
    commit: db.prepare("COMMIT"),
    savepoint: db.prepare("SAVEPOINT work"),
    release: db.prepare("RELEASE work"),
    undo: db.prepare("ROLLBACK TO work"),
    putId: db.prepare(
      "INSERT INTO kernel_ids (key, seen) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seen = excluded.seen",
    ),
    putTimer: db.prepare(
      "INSERT INTO kernel_timers (kind, subject, due, data, trace) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, subject) DO UPDATE SET due = excluded.due, data = excluded.data, trace = excluded.trace",
    ),
    dropTimer: db.prepare("DELETE FROM kernel_timers WHERE kind = ? AND subject = ?"),
  };

  // Ids and timers live in memory; what changed is written with the commit, and only where rows outlive the process.
  const durable = dataDir !== undefined;
  const changedIds = new Map<string, number>();
  const changedTimers = new Map<string, { readonly timer: Timer; readonly scheduled: boolean }>();
  const track = () => {
    ids.onCount((key, seen) => {
      if (durable) changedIds.set(key, seen);
      if (depth > 0) undo.push(() => ids.uncount(key));
      openTurn();
    });
    timers.onChange((change) => {
      const { timer, scheduled } = change;
      if (durable) changedTimers.set(`${timer.kind}\u0000${timer.subject}`, { timer, scheduled });
      if (depth > 0) undo.push(() => timers.undo(change));
      openTurn();
    });
  };
  const keepMemory = () => {
    for (const [key, seen] of changedIds) statement.putId.run(key, seen);
    for (const { timer, scheduled } of changedTimers.values()) {
      if (scheduled)
        statement.putTimer.run(
          timer.kind,
          timer.subject,
          timer.due,
          timer.data === undefined ? null : JSON.stringify(timer.data),
          timer.trace ?? null,
        );
      else statement.dropTimer.run(timer.kind, timer.subject);
    }
    changedIds.clear();
    changedTimers.clear();
  };
  const loadMemory = () => {
    changedIds.clear();
    changedTimers.clear();
    ids.load(db.prepare("SELECT key, seen FROM kernel_ids").raw().iterate() as Iterable<[string, number]>);
    const rows = db.prepare("SELECT kind, subject, due, data, trace FROM kernel_timers").all() as {
      kind: string;
      subject: string;
      due: number;
      data: string | null;
      trace: string | null;
    }[];
    timers.load(
      rows.map(({ kind, subject, due, data, trace }) => ({
        kind,
        subject,
        due,
        ...(data === null ? {} : { data: JSON.parse(data) }),
        ...(trace === null ? {} : { trace }),
      })),
    );
  };

  let turn: PromiseWithResolvers<void> | undefined;
  let afterwards: (() => void)[] = [];
  let commits = 0;
  let depth = 0;
  /** How to take back in memory what the writes under way did there. */
  let undo: (() => void)[] = [];
  let closed = false;

  const openTurn = () => {
    if (turn || closed) return;
    statement.begin.run();
    turn = Promise.withResolvers();
    turn.promise.catch(() => {}); // every answer that waits sees the failure; nobody waiting is not an error of its own
    setImmediate(closeTurn);
  };
  const closeTurn = () => {
    if (!turn) return;
    const closing = turn;
    const then = afterwards;
    turn = undefined;
    afterwards = [];
    try {
      if (durable) keepMemory();
      statement.commit.run();
      commits += 1;
    } catch (cause) {
      if (db.inTransaction) db.exec("ROLLBACK");
      options.onFailure(cause);
      closing.reject(cause);
      return;
    }
    closing.resolve();
    for (const action of then) action();
  };
  /** What follows a commit may write again, and so open the next turn: closes until none is open. */
  const closeTurns = () => {
    while (turn) closeTurn();
  };

  const tableNames = () =>
    (
      db
        .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        .pluck()
        .all() as string[]
    ).filter((table) => table !== "kernel_meta");
  const columnsOf = (table: string) => db.pragma(`main.table_info(${table})`) as { name: string; pk: number }[];
  /** Copies every table between the main database and an attached one. */
  const copyTables = (from: string, to: string) => {
    db.pragma("foreign_keys = OFF");
    statement.begin.run();
    try {
      for (const table of tableNames()) {
        if (to !== "main") db.exec(`CREATE TABLE IF NOT EXISTS ${to}.${table} AS SELECT * FROM main.${table} LIMIT 0`);
        db.exec(`DELETE FROM ${to}.${table}`);
        db.exec(`INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table}`);
      }
      statement.commit.run();
    } catch (cause) {
      if (db.inTransaction) db.exec("ROLLBACK");
      throw cause;
    } finally {
      db.pragma("foreign_keys = ON");
    }
  };
  const flush = () => {
    closeTurns();
    statement.begin.run();
    db.exec("DELETE FROM kernel_ids; DELETE FROM kernel_timers");
    for (const [key, seen] of ids.dump()) statement.putId.run(key, seen);
    for (const timer of timers.list(Number.POSITIVE_INFINITY))
      statement.putTimer.run(
        timer.kind,
        timer.subject,
        timer.due,
        timer.data === undefined ? null : JSON.stringify(timer.data),
        timer.trace ?? null,
      );
    changedIds.clear();
    changedTimers.clear();
    statement.commit.run();
  };

  // A snapshot is a database of its own: a file beside the main one, or the bytes of one in memory.
  const held = new Map<string, Buffer>();
  const snapshotFile = (folder: string, snapshot: string) =>
    join(folder, `${name}.snapshot.${Buffer.from(snapshot).toString("hex")}.sqlite`);
  const attached = (path: string, action: () => void) => {
    closeTurns();
    db.prepare("ATTACH ? AS snapshot").run(path);
    try {
      action();
    } finally {
      db.exec("DETACH snapshot");
    }
  };
  const restoreBytes = (bytes: Buffer) => {
    closeTurns();
    const from = new BetterSqlite(bytes, { readonly: true });
    db.pragma("foreign_keys = OFF");
    statement.begin.run();
    try {
      for (const table of tableNames()) {
        const columns = columnsOf(table).map((column) => column.name);
        const put = db.prepare(
          `INSERT INTO main.${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
        );
        db.exec(`DELETE FROM main.${table}`);
        for (const row of from
          .prepare(`SELECT ${columns.join(", ")} FROM ${table}`)
          .raw()
          .iterate())
          put.run(row);
      }
      statement.commit.run();
    } catch (cause) {
      if (db.inTransaction) db.exec("ROLLBACK");
      throw cause;
    } finally {
      db.pragma("foreign_keys = ON");
      from.close();
    }
  };
  const about = db.prepare("SELECT value FROM main.kernel_meta WHERE name = ?").pluck();
  const snapshotNames = () =>
    (
      db
        .prepare("SELECT name FROM main.kernel_meta WHERE name LIKE 'snapshot:%' ORDER BY name")
        .pluck()
        .all() as string[]
    ).map((key) => key.slice("snapshot:".length));
  const snapshots: Store["snapshots"] = {
    save(snapshot) {
      const digest = store.digest();
      flush();
      if (dataDir) attached(snapshotFile(dataDir, snapshot), () => copyTables("main", "snapshot"));
      else held.set(snapshot, db.serialize());
      db.prepare("INSERT OR REPLACE INTO main.kernel_meta (name, value) VALUES (?, ?)").run(
        `snapshot:${snapshot}`,
        JSON.stringify({ savedAt: options.now(), digest }),
      );
    },
    restore(snapshot) {
      if (!snapshotNames().includes(snapshot)) return false;
      const bytes = held.get(snapshot);
      if (bytes) restoreBytes(bytes);
      else if (dataDir) attached(snapshotFile(dataDir, snapshot), () => copyTables("snapshot", "main"));
      loadMemory();
      return true;
    },
    delete(snapshot) {
      if (!snapshotNames().includes(snapshot)) return false;
      closeTurns();
      db.prepare("DELETE FROM main.kernel_meta WHERE name = ?").run(`snapshot:${snapshot}`);
      held.delete(snapshot);
      if (dataDir) rmSync(snapshotFile(dataDir, snapshot), { force: true });
      return true;
    },
    list: () =>
      snapshotNames().map((snapshot) => ({
        name: snapshot,
        ...(JSON.parse(about.get(`snapshot:${snapshot}`) as string) as { savedAt: number; digest: string }),
      })),
  };

  const store: Store & { readonly fresh: boolean } = {
    db,
    durable,
    fresh,
    get commits() {
      return commits;
    },
    write(work) {
      openTurn();
      const [undoneTo, afterwardsTo] = [undo.length, afterwards.length];
      depth += 1;
      statement.savepoint.run();
      try {
        return work();
      } catch (cause) {
        statement.undo.run();
        for (const step of undo.splice(undoneTo).reverse()) step();
        afterwards.length = afterwardsTo;
        throw cause;
      } finally {
        statement.release.run();
        depth -= 1;
        if (depth === 0) undo = [];
      }
    },
    committed: () => turn?.promise ?? Promise.resolve(),
    afterCommit(action) {
      openTurn();
      afterwards.push(action);
    },
    keepPristine() {
      flush();
      copyTables("main", "pristine");
    },
    clear() {
      closeTurns();
      db.pragma("foreign_keys = OFF");
      for (const table of tableNames()) db.exec(`DELETE FROM main.${table}`);
      db.pragma("foreign_keys = ON");
      loadMemory();
    },
    reset() {
      closeTurns();
      copyTables("pristine", "main");
      loadMemory();
    },
    snapshots,
    meta: {
      get: (key) => about.get(key) as string | undefined,
      set(key, value) {
        closeTurns();
        db.prepare("INSERT OR REPLACE INTO main.kernel_meta (name, value) VALUES (?, ?)").run(key, value);
      },
    },
    digest() {
      closeTurns();
      const hash = createHash("sha256");
      for (const table of tableNames().filter((candidate) => !candidate.startsWith("kernel_"))) {
        const columns = columnsOf(table);
        const shown = columns
          .filter(({ name: column }) => column !== "arrival" && !column.startsWith("wall_"))
          .map((column) => column.name);
        const key = columns
          .filter((column) => column.pk > 0)
          .sort((left, right) => left.pk - right.pk)
          .map((column) => column.name);
        hash.update(`${table}(${shown.join(",")})\n`);
        const order = (key.length > 0 && !key.includes("arrival") ? key : shown).join(", ");
        for (const row of db
          .prepare(`SELECT ${shown.join(", ")} FROM main.${table} ORDER BY ${order}`)
          .raw()
          .iterate()) {
          hash.update(JSON.stringify(row, (_, value) => (Buffer.isBuffer(value) ? value.toString("base64") : value)));
          hash.update("\n");
        }
      }
      return hash.digest("hex");
    },
    close() {
      closeTurns();
      if (dataDir) flush();
      closed = true;
      db.close();
    },
  };
  if (!fresh) loadMemory();
  track();
  return store;
}
