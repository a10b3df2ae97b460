/**
 * Group commit: the writes of one event-loop turn share a transaction, every answer waits for it, and what follows a
 * change runs once the change is durable. The transaction begins with the first statement that changes a row: work that
 * changed nothing but memory has nothing to wait for.
 */
import type { Database } from "better-sqlite3";

export interface Turns {
  /** All or nothing inside this turn's transaction. */
  write<T>(work: () => T): T;
  /** The same for work that is all or nothing by itself, because it runs at most one statement that changes rows. */
  writeOne<T>(work: () => T): T;
  /** Nothing when no transaction is open. */
  committed(): Promise<void> | undefined;
  afterCommit(action: () => void): void;
  /** Something changed in memory: inside a write, `takeBack` undoes it if the write fails. */
  changed(takeBack: () => void): void;
  /** Something changed that is to be written with the next commit: there will be one. */
  toKeep(): void;
  /** A statement is about to change rows: the transaction is there, and every write under way can be taken back. */
  open(): void;
  /**
   * Rows that were held back: part of the write under way, which may take them back; of this turn, if it has a transaction;
   * or else of a transaction that is over at once, so that whoever only reads has nothing to wait for.
   */
  atOnce(work: () => void): void;
  /** Commits what is open now, for work on the database as a whole. */
  settle(): void;
  readonly commits: number;
  /** Settles and opens no further transaction. */
  close(): void;
}

export interface TurnsOptions {
  readonly db: Database;
  /** Writes what lives in memory, as the last part of a transaction. */
  readonly beforeCommit: () => void;
  /** Told when a commit fails; nothing after it can be trusted. */
  readonly onFailure: (cause: unknown) => void;
}

export function createTurns({ db, beforeCommit, onFailure }: TurnsOptions): Turns {
  const begin = db.prepare("BEGIN");
  const commit = db.prepare("COMMIT");
  const savepoint = db.prepare("SAVEPOINT work");
  const release = db.prepare("RELEASE work");
  const undoWork = db.prepare("ROLLBACK TO work");
  let turn: PromiseWithResolvers<void> | undefined;
  let afterwards: (() => void)[] = [];
  let commits = 0;
  let depth = 0;
  /** Writes under way, and how many of them have their savepoint: the outermost first. */
  let writes = 0;
  let saved = 0;
  /** How to take back in memory what the writes under way did there. */
  let undo: (() => void)[] = [];
  let closed = false;

  const open = () => {
    if (turn || closed) return;
    begin.run();
    turn = Promise.withResolvers();
    turn.promise.catch(() => {}); // every answer that waits sees the failure; nobody waiting is not an error of its own
    setImmediate(end);
  };
  const end = () => {
    if (!turn) return;
    const closing = turn;
    const then = afterwards;
    turn = undefined;
    afterwards = [];
    try {
      beforeCommit();
      commit.run();
      commits += 1;
    } catch (cause) {
      if (db.inTransaction) db.exec("ROLLBACK");
      onFailure(cause);
      closing.reject(cause);
      return;
    }
    closing.resolve();
    for (const action of then) action();
  };
  /** The write that is over changed no rows: there is no commit to wait for. */
  const actNow = () => {
    const then = afterwards;
    afterwards = [];
    for (const action of then) action();
  };
  /** What follows a commit may write again, and so open the next turn: ends turns until none is open. */
  const settle = () => {
    while (turn) end();
  };

  const openForChange = () => {
    // What works on the database as a whole brings its own transaction.
    if (!turn && db.inTransaction) return;
    open();
    for (; saved < writes; saved += 1) savepoint.run();
  };

  const writeOne = <T>(work: () => T): T => {
    const undoneTo = undo.length;
    const afterwardsTo = afterwards.length;
    depth += 1;
    try {
      return work();
    } catch (cause) {
      for (const step of undo.splice(undoneTo).reverse()) step();
      afterwards.length = afterwardsTo;
      throw cause;
    } finally {
      depth -= 1;
      if (depth === 0 && undo.length > 0) undo = [];
      if (depth === 0 && !turn && afterwards.length > 0) actNow();
    }
  };

  return {
    get commits() {
      return commits;
    },
    write: (work) =>
      writeOne(() => {
        writes += 1;
        try {
          return work();
        } catch (cause) {
          if (saved === writes) undoWork.run();
          throw cause;
        } finally {
          if (saved === writes) {
            release.run();
            saved -= 1;
          }
          writes -= 1;
        }
      }),
    writeOne,
    committed: () => turn?.promise,
    afterCommit(action) {
      if (depth === 0) open();
      afterwards.push(action);
    },
    changed(takeBack) {
      if (depth > 0) undo.push(takeBack);
    },
    toKeep: open,
    open: openForChange,
    atOnce(work) {
      if (depth > 0 || db.inTransaction) work();
      else db.transaction(work)();
    },
    settle,
    close() {
      settle();
      closed = true;
    },
  };
}
