/**
 * Every list orders by date and then by arrival. SQLite's implicit rowid is the order of arrival, and ends every index
 * without being named there; it is no part of the digest.
 *
 * A data folder in which these texts stand otherwise, comments included, was made by another version and is refused:
 * `form` counts what `data` looked like, which kinds.ts declares.
 */
export const tables = `
CREATE TABLE IF NOT EXISTS accounts (
  sid TEXT PRIMARY KEY, owner_sid TEXT NOT NULL, auth_token TEXT NOT NULL, friendly_name TEXT NOT NULL,
  status TEXT NOT NULL, type TEXT NOT NULL, test INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS resources (
  kind TEXT NOT NULL, sid TEXT NOT NULL, account_sid TEXT NOT NULL, parent TEXT NOT NULL, key TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, removed INTEGER NOT NULL,
  data TEXT NOT NULL /* form 2 */,
  PRIMARY KEY (kind, sid)
);
CREATE INDEX IF NOT EXISTS resources_by_date ON resources (kind, parent, created_at);
CREATE INDEX IF NOT EXISTS resources_by_key ON resources (kind, key);
CREATE TABLE IF NOT EXISTS messages (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, direction TEXT NOT NULL, sender TEXT, recipient TEXT NOT NULL,
  body TEXT NOT NULL, num_segments INTEGER NOT NULL, num_media INTEGER NOT NULL, media_urls TEXT, status TEXT NOT NULL,
  error_code INTEGER, price INTEGER, billed_at INTEGER, messaging_service_sid TEXT, status_callback TEXT,
  valid_until INTEGER, send_at INTEGER, smart_encoded INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, sent_at INTEGER
);
CREATE INDEX IF NOT EXISTS messages_by_date ON messages (account_sid, created_at);
CREATE INDEX IF NOT EXISTS messages_by_recipient ON messages (account_sid, recipient, created_at);
CREATE INDEX IF NOT EXISTS messages_by_sender ON messages (account_sid, sender, created_at);
CREATE TABLE IF NOT EXISTS deleted_messages (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, created_at INTEGER NOT NULL, arrival INTEGER NOT NULL
) WITHOUT ROWID;
`;
