/** The files of one emulator in BACKLOT_DATA_DIR, and whether this version can go on with what is in them. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite, { type Database } from "better-sqlite3";
import { makeDataFolder } from "./data-folder.ts";

interface Files {
  readonly main: string;
  readonly pristine: string;
  /** Nothing that was ever acknowledged is in them: they may be made anew. */
  readonly fresh: boolean;
}

/** Data that cannot be gone on with are left as they are, and a sentence says what to do. */
class DataFolderError extends Error {
  override readonly name = "DataFolderError";
  constructor(what: string, folder: string) {
    super(
      `${what}. Nothing was changed: run the version of Backlot that made it, set BACKLOT_DATA_DIR to another folder, or delete ${folder} to start from the seed.`,
    );
  }
}

export function prepareFiles(folder: string, name: string, declared: string): Files {
  makeDataFolder(folder);
  const main = join(folder, `${name}.sqlite`);
  const pristine = join(folder, `${name}.pristine.sqlite`);
  const fresh = !existsSync(main) || isUnfinished(main, folder, declared);
  if (fresh) for (const file of [main, `${main}-wal`, `${main}-shm`, pristine]) rmSync(file, { force: true });
  else if (!existsSync(pristine))
    throw new DataFolderError(`${pristine} is missing, without which ${main} cannot be reset`, folder);
  return { main, pristine, fresh };
}

/** A first start that ended before its seed was complete served nobody. Throws when the tables are not this version's. */
function isUnfinished(file: string, folder: string, declared: string): boolean {
  const db = opened(file, folder);
  try {
    const present = tablesOf(db);
    if (!present.has("kernel_meta")) return present.size === 0;
    const seeded = db.prepare("SELECT 1 FROM kernel_meta WHERE name = 'seed'").get() !== undefined;
    if (!seeded) return true;
    const other = differences(present, declared);
    if (other.length > 0)
      throw new DataFolderError(
        `${file} was made by another version of Backlot: its tables differ (${other.join(", ")})`,
        folder,
      );
    return false;
  } finally {
    db.close();
  }
}

function opened(file: string, folder: string): Database {
  try {
    const db = new BetterSqlite(file);
    db.pragma("schema_version");
    return db;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataFolderError(`${file} cannot be read as a database (${why})`, folder);
  }
}

/** Tables and indexes by name, each as it was declared. */
function tablesOf(db: Database): ReadonlyMap<string, string> {
  const rows = db.prepare("SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL").all() as {
    readonly name: string;
    readonly sql: string;
  }[];
  return new Map(rows.map(({ name, sql }) => [name, sql.replace(/\s+/g, " ")]));
}

/** Names of what is declared otherwise, or only on one side. */
function differences(present: ReadonlyMap<string, string>, declared: string): string[] {
  const model = new BetterSqlite(":memory:");
  try {
    model.exec(declared);
    const wanted = tablesOf(model);
    return [...new Set([...present.keys(), ...wanted.keys()])]
      .filter((name) => present.get(name) !== wanted.get(name))
      .sort();
  } finally {
    model.close();
  }
}
