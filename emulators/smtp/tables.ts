/**
 * `raw` is the last column, so that a list that does not ask for it never reads the pages behind a large message. What
 * depends on the machine and not on the mail (addresses, ports, the transcript with the client's host name) is in
 * columns that the digest leaves out.
 */
export const tables = `
CREATE TABLE IF NOT EXISTS smtp_server (
  id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, auth TEXT NOT NULL, max_recipients INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS smtp_users (username TEXT PRIMARY KEY, password TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS smtp_messages (
  id TEXT PRIMARY KEY, arrival INTEGER NOT NULL, received_at INTEGER NOT NULL, truncated INTEGER NOT NULL,
  mail_from TEXT NOT NULL, parameters TEXT, helo TEXT NOT NULL, mechanism TEXT, username TEXT, secure INTEGER NOT NULL,
  size INTEGER NOT NULL, wall_remote TEXT NOT NULL, wall_transcript TEXT NOT NULL, raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS smtp_messages_order ON smtp_messages (truncated, received_at, arrival);
CREATE TABLE IF NOT EXISTS smtp_recipients (
  message TEXT NOT NULL, position INTEGER NOT NULL, address TEXT NOT NULL, parameters TEXT,
  PRIMARY KEY (message, position)
) WITHOUT ROWID;
`;
