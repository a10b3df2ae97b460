/** The kernel's own tables, in the database of every emulator. */
export const kernelTables = `
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
