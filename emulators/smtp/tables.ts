/**
 * The order of arrival is SQLite's rowid: lists by arrival need no index, and it ends every index without being named.
 * `raw` is the last column, so that a list that does not ask for it never reads the pages behind a large message. A
 * message larger than a piece lies in smtp_pieces: `raw` is then its beginning and `sha256` stands for the rest in the
 * digest. What depends on the machine and not on the mail (addresses, ports, the transcript with the client's host name,
 * the number under which pieces arrived) is in columns that the digest leaves out.
 */
export const tables = `
CREATE TABLE IF NOT EXISTS smtp_server (
  id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, auth TEXT NOT NULL, max_recipients INTEGER NOT NULL,
  retention INTEGER NOT NULL, magic_domains TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS smtp_users (username TEXT PRIMARY KEY, password TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS smtp_messages (
  arrival INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received_at INTEGER NOT NULL, truncated INTEGER NOT NULL,
  mail_from TEXT NOT NULL, parameters TEXT, recipients TEXT NOT NULL, helo TEXT NOT NULL, mechanism TEXT, username TEXT,
  secure INTEGER NOT NULL, size INTEGER NOT NULL, inbox TEXT, sha256 TEXT, wall_spool INTEGER, wall_remote TEXT NOT NULL,
  wall_transcript TEXT NOT NULL, raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS smtp_messages_order ON smtp_messages (truncated, received_at);
CREATE TABLE IF NOT EXISTS smtp_pieces (
  part INTEGER NOT NULL, wall_spool INTEGER NOT NULL, wall_bytes BLOB NOT NULL, PRIMARY KEY (part, wall_spool)
);
CREATE INDEX IF NOT EXISTS smtp_pieces_spool ON smtp_pieces (wall_spool, part);
CREATE TABLE IF NOT EXISTS smtp_read (message TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS smtp_tags (message TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (message, tag)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS smtp_tags_tag ON smtp_tags (tag, message);
CREATE TABLE IF NOT EXISTS smtp_events (
  message TEXT NOT NULL, recipient TEXT NOT NULL, n INTEGER NOT NULL, type TEXT NOT NULL, at INTEGER NOT NULL,
  detail TEXT NOT NULL, PRIMARY KEY (message, recipient, n)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS smtp_counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
`;
