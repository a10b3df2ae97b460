/** Named copies of every row: a database of its own each, as a file beside the main one or as bytes in memory. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { copyFromBytes, copyTables } from "./state-copies.ts";

export interface Snapshots {
  save(name: string): void;
  restore(name: string): boolean;
  delete(name: string): boolean;
  list(): readonly Snapshot[];
}

export interface Snapshot {
  readonly name: string;
  readonly savedAt: number;
  readonly digest: string;
}

export interface SnapshotsOptions {
  readonly db: Database;
  readonly name: string;
  readonly dataDir: string | undefined;
  /** Virtual time, to date snapshots. */
  readonly now: () => number;
  readonly digest: () => string;
  /** Commits what is open. */
  readonly settle: () => void;
  /** Commits what is open and what lives in memory. */
  readonly flush: () => void;
  /** The rows are others now. */
  readonly restored: () => void;
}

export function createSnapshots(options: SnapshotsOptions): Snapshots {
  const { db, dataDir, settle } = options;
  const held = new Map<string, Buffer>();
  const put = db.prepare("INSERT OR REPLACE INTO main.kernel_meta (name, value) VALUES (?, ?)");
  const drop = db.prepare("DELETE FROM main.kernel_meta WHERE name = ?");
  const all = db.prepare("SELECT name, value FROM main.kernel_meta WHERE name LIKE 'snapshot:%' ORDER BY name");
  const fileOf = (folder: string, snapshot: string) =>
    join(folder, `${options.name}.snapshot.${Buffer.from(snapshot).toString("hex")}.sqlite`);
  const attached = (path: string, action: () => void) => {
    settle();
    db.prepare("ATTACH ? AS snapshot").run(path);
    try {
      action();
    } finally {
      db.exec("DETACH snapshot");
    }
  };
  const list = () =>
    (all.all() as { readonly name: string; readonly value: string }[]).map(({ name, value }) => ({
      name: name.slice("snapshot:".length),
      ...(JSON.parse(value) as Omit<Snapshot, "name">),
    }));
  const isKnown = (snapshot: string) => list().some(({ name }) => name === snapshot);
  return {
    save(snapshot) {
      const digest = options.digest();
      options.flush();
      if (dataDir) attached(fileOf(dataDir, snapshot), () => copyTables(db, "main", "snapshot"));
      else held.set(snapshot, db.serialize());
      put.run(`snapshot:${snapshot}`, JSON.stringify({ savedAt: options.now(), digest }));
    },
    restore(snapshot) {
      if (!isKnown(snapshot)) return false;
      settle();
      const bytes = held.get(snapshot);
      if (bytes) copyFromBytes(db, bytes);
      else if (dataDir) attached(fileOf(dataDir, snapshot), () => copyTables(db, "snapshot", "main"));
      options.restored();
      return true;
    },
    delete(snapshot) {
      if (!isKnown(snapshot)) return false;
      settle();
      drop.run(`snapshot:${snapshot}`);
      held.delete(snapshot);
      if (dataDir) rmSync(fileOf(dataDir, snapshot), { force: true });
      return true;
    },
    list,
  };
}
