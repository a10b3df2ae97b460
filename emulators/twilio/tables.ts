/**
 * Every list orders by date and then by arrival. SQLite's implicit rowid is the order of arrival, and ends every index
 * without being named there; it is no part of the digest.
 */
export const tables = `
CREATE TABLE IF NOT EXISTS accounts (
  sid TEXT PRIMARY KEY, owner_sid TEXT NOT NULL, auth_token TEXT NOT NULL, friendly_name TEXT NOT NULL,
  status TEXT NOT NULL, type TEXT NOT NULL, test INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS api_keys (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, secret TEXT NOT NULL, friendly_name TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS phone_numbers (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, phone_number TEXT NOT NULL UNIQUE, friendly_name TEXT NOT NULL,
  sms INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS messaging_services (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, friendly_name TEXT NOT NULL, status_callback TEXT,
  validity_period INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS messaging_service_senders (
  service_sid TEXT NOT NULL, phone_number_sid TEXT NOT NULL, PRIMARY KEY (service_sid, phone_number_sid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS verify_services (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, friendly_name TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, direction TEXT NOT NULL, sender TEXT, recipient TEXT NOT NULL,
  body TEXT NOT NULL, num_segments INTEGER NOT NULL, num_media INTEGER NOT NULL, media_urls TEXT, status TEXT NOT NULL,
  error_code INTEGER, price INTEGER, billed_at INTEGER, messaging_service_sid TEXT, status_callback TEXT,
  valid_until INTEGER, send_at INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, sent_at INTEGER
);
CREATE INDEX IF NOT EXISTS messages_by_date ON messages (account_sid, created_at);
CREATE INDEX IF NOT EXISTS messages_by_recipient ON messages (account_sid, recipient, created_at);
CREATE INDEX IF NOT EXISTS messages_by_sender ON messages (account_sid, sender, created_at);
CREATE TABLE IF NOT EXISTS deleted_messages (
  sid TEXT PRIMARY KEY, account_sid TEXT NOT NULL, created_at INTEGER NOT NULL, arrival INTEGER NOT NULL
) WITHOUT ROWID;
`;
