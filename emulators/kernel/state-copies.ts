/** What is done to all tables at once: copied from and to another database, emptied, hashed. */
import { createHash } from "node:crypto";
import BetterSqlite, { type Database } from "better-sqlite3";

/** Every table but the one of facts about the database itself. */
function tableNames(db: Database): string[] {
  const names = db
    .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .pluck()
    .all() as string[];
  return names.filter((table) => table !== "kernel_meta");
}

function columnsOf(db: Database, table: string) {
  return db.pragma(`main.table_info(${table})`) as { readonly name: string; readonly pk: number }[];
}

/** One transaction in which rows may stand without what they refer to; all or nothing. */
function wholesale(db: Database, change: (table: string) => void): void {
  db.pragma("foreign_keys = OFF");
  db.exec("BEGIN");
  try {
    for (const table of tableNames(db)) change(table);
    db.exec("COMMIT");
  } catch (cause) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw cause;
  } finally {
    db.pragma("foreign_keys = ON");
  }
}

/** Copies every table between the main database and an attached one. */
export function copyTables(db: Database, from: string, to: string): void {
  wholesale(db, (table) => {
    if (to !== "main") db.exec(`CREATE TABLE IF NOT EXISTS ${to}.${table} AS SELECT * FROM main.${table} LIMIT 0`);
    db.exec(`DELETE FROM ${to}.${table}`);
    db.exec(`INSERT INTO ${to}.${table} SELECT * FROM ${from}.${table}`);
  });
}

/** Takes every row of a serialised database in place of the present ones. */
export function copyFromBytes(db: Database, bytes: Buffer): void {
  const from = new BetterSqlite(bytes, { readonly: true });
  try {
    wholesale(db, (table) => {
      const columns = columnsOf(db, table).map((column) => column.name);
      const put = db.prepare(
        `INSERT INTO main.${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
      );
      const rows = from.prepare(`SELECT ${columns.join(", ")} FROM ${table}`).raw();
      db.exec(`DELETE FROM main.${table}`);
      for (const row of rows.iterate()) put.run(row);
    });
  } finally {
    from.close();
  }
}

export function emptyTables(db: Database): void {
  wholesale(db, (table) => db.exec(`DELETE FROM main.${table}`));
}

/** SHA-256 over the emulator's own rows in key order, without arrival sequences and wall times. */
export function digestTables(db: Database): string {
  const hash = createHash("sha256");
  for (const table of tableNames(db).filter((candidate) => !candidate.startsWith("kernel_"))) {
    const columns = columnsOf(db, table);
    const shown = columns
      .filter(({ name }) => name !== "arrival" && !name.startsWith("wall_"))
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
}
