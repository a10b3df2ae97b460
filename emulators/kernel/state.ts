/**
 * One SQLite database per emulator: in memory, or in BACKLOT_DATA_DIR. The writes of one event-loop turn share a
 * transaction (group commit) and every answer waits for it, so that a killed process loses nothing it acknowledged.
 */
import BetterSqlite, { type Database, type Statement } from "better-sqlite3";
import type { Ids } from "./ids.ts";
import { createSnapshots, type Snapshots } from "./snapshots.ts";
import { copyTables, digestTables, emptyTables } from "./state-copies.ts";
import { prepareFiles } from "./state-folder.ts";
import { createMemory } from "./state-memory.ts";
import { kernelTables } from "./state-tables.ts";
import { createTurns } from "./state-turns.ts";
import type { TimerEngine } from "./timers.ts";

export type { Database };

/** Rows that an emulator keeps in memory before it writes them, or what it made of rows. */
export interface HeldRows {
  /** Writes them, for work on the database as a whole. */
  write(): void;
  /** The tables were replaced, and with them all rows, or the database closes. */
  forget(): void;
}

/** How the store and an emulator that holds rows back come to terms. */
export interface RowHolding {
  /** True when rows are kept on disk. */
  readonly durable: boolean;
  holdBack(rows: HeldRows): void;
  /** Something changed in memory: inside a write, `takeBack` undoes it if the write fails. */
  changed(takeBack: () => void): void;
  /** Writes rows that were held back: with the write under way, or by themselves at once. */
  atOnce(work: () => void): void;
}

export interface Store extends RowHolding {
  readonly db: Database;
  /**
   * Runs `work` as one all-or-nothing change inside this turn's transaction. What `work` did to ids and timers is kept
   * with the same commit. `afterCommit` callbacks registered meanwhile run once it is durable.
   */
  write<T>(work: () => T): T;
  /** The same for work that is all or nothing by itself, because it runs at most one statement that changes rows. */
  writeOne<T>(work: () => T): T;
  /** Resolves when everything written so far is committed; nothing when it is. */
  committed(): Promise<void> | undefined;
  afterCommit(action: () => void): void;
  /** Takes the present rows, ids and timers as what `reset` goes back to. */
  keepPristine(): void;
  /** Empties every table, counts and timers: what a new seed is applied to. */
  clear(): void;
  /** Goes back to the pristine copy. */
  reset(): void;
  readonly snapshots: Snapshots;
  /** SHA-256 over all provider-visible rows in key order, without arrival sequences and wall times. */
  digest(): string;
  readonly commits: number;
  /** Facts about the database itself, outside reset and digest. */
  readonly meta: { get(name: string): string | undefined; set(name: string, value: string): void };
  close(): void;
}

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
  const { name, dataDir } = options;
  const { db, fresh } = openDatabase(options);
  const memory = createMemory(db, options.ids, options.timers, dataDir !== undefined);
  const turns = createTurns({ db, beforeCommit: memory.keepChanges, onFailure: options.onFailure });
  const held: HeldRows[] = [];
  const settle = () => {
    turns.settle();
    for (const rows of held) rows.write();
  };
  const replaced = () => {
    memory.load();
    for (const rows of held) rows.forget();
  };
  const flush = () => {
    settle();
    db.transaction(memory.keepAll)();
  };
  const digest = () => {
    settle();
    return digestTables(db);
  };
  const fact = db.prepare("SELECT value FROM main.kernel_meta WHERE name = ?").pluck();
  const putFact = db.prepare("INSERT OR REPLACE INTO main.kernel_meta (name, value) VALUES (?, ?)");
  const store: Store & { readonly fresh: boolean } = {
    db,
    durable: dataDir !== undefined,
    fresh,
    get commits() {
      return turns.commits;
    },
    write: turns.write,
    writeOne: turns.writeOne,
    committed: turns.committed,
    afterCommit: turns.afterCommit,
    changed: turns.changed,
    atOnce: turns.atOnce,
    holdBack(rows) {
      held.push(rows);
    },
    keepPristine() {
      flush();
      copyTables(db, "main", "pristine");
    },
    clear() {
      settle();
      emptyTables(db);
      replaced();
    },
    reset() {
      settle();
      copyTables(db, "pristine", "main");
      replaced();
    },
    snapshots: createSnapshots({ db, name, dataDir, now: options.now, digest, settle, flush, restored: replaced }),
    meta: {
      get: (key) => fact.get(key) as string | undefined,
      set(key, value) {
        settle();
        putFact.run(key, value);
      },
    },
    digest,
    close() {
      if (dataDir) flush();
      turns.close();
      for (const rows of held) rows.forget();
      db.close();
    },
  };
  if (!fresh) memory.load();
  memory.follow(turns);
  beforeChanges(db, turns.open);
  return store;
}

/** From here on every prepared statement that may change rows says so first. */
function beforeChanges(db: Database, open: () => void): void {
  const prepare = db.prepare.bind(db) as (sql: string) => Statement;
  db.prepare = ((sql: string) => {
    const statement = prepare(sql);
    if (statement.readonly) return statement;
    for (const method of ["run", "get", "all"] as const) {
      const own = statement[method];
      statement[method] = function (this: Statement, ...values: unknown[]) {
        open();
        return own.apply(this, values);
      } as never;
    }
    return statement;
  }) as Database["prepare"];
}

function openDatabase({ name, dataDir, pageSize, tables }: StoreOptions): { db: Database; fresh: boolean } {
  const declared = `${kernelTables}\n${tables}`;
  const inMemory = { main: ":memory:", pristine: ":memory:", fresh: true };
  const { main, pristine, fresh } = dataDir ? prepareFiles(dataDir, name, declared) : inMemory;
  const db = new BetterSqlite(main);
  db.pragma(`page_size = ${pageSize}`);
  if (dataDir) {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = NORMAL");
  }
  db.pragma("foreign_keys = ON");
  db.exec(declared);
  db.prepare("ATTACH ? AS pristine").run(pristine);
  return { db, fresh };
}
